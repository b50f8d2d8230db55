import CacheContract
import GraphIR
import Tensors

/// What a recorded run decided, call by call, and why: the text of `schedule explain --record`.
struct RecordedDecisions {
  private let manifest: Manifest
  private let branches: [String]
  /// (S, C, sites) in row-major order.
  private let computed: [Bool]
  private let metric: [Float]
  /// (S, C).
  private let tookPlace: [Bool]

  /// Reads an archive that `sample --record` wrote of a run with this manifest's cache.
  init(of path: String, manifest: Manifest) throws {
    let arrays = try RunJob.arrays(of: path)
    guard let computed = arrays["computed"], computed.dataType == .bool, computed.rank == 3,
      let metric = arrays["metric"], metric.dataType == .float32, metric.shape == computed.shape
    else {
      throw UsageError(
        "no-decisions", at: path, "the archive has no 'computed' and 'metric' of a cached run",
        hint: "write one with `ditcache sample MODEL --schedule FILE --record R.npz`",
        category: .badModel)
    }
    let (steps, calls, sites) = (computed.shape[0], computed.shape[1], computed.shape[2])
    guard steps == manifest.steps, sites == manifest.sites.count, (1...2).contains(calls) else {
      throw UsageError(
        "other-run", at: path,
        "the run has \(steps) steps of \(sites) sites, the schedule on this model has "
          + "\(manifest.steps) steps of \(manifest.sites.count)")
    }
    self.manifest = manifest
    self.computed = computed.elements(as: Bool.self)
    self.metric = metric.elements(as: Float.self)
    branches = calls == 2 ? ["uncond", "cond"] : ["cond"]
    let flags = arrays["took_place"].flatMap { $0.dataType == .bool ? $0 : nil }
    tookPlace =
      flags?.elementCount == steps * calls
      ? flags?.elements(as: Bool.self) ?? []
      : [Bool](repeating: true, count: steps * calls)
  }

  /// A grid of every site and branch, then a line for each step of every rule that measures.
  var text: String {
    var lines = ["", "  decisions of the run", ""]
    lines += grid
    for rule in manifest.rules {
      guard let measured = rule.metric,
        let site = manifest.sites.firstIndex(where: { $0.rule == rule.name })
      else { continue }
      lines += [""] + table(of: rule, measured, site: site)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private var grid: [String] {
    var rows: [(label: String, marks: String)] = []
    for (number, branch) in branches.enumerated() {
      var first = 0
      for site in manifest.sites.indices {
        let next = site + 1
        let marks = marks(site, number)
        if next < manifest.sites.count, manifest.sites[next].rule == manifest.sites[site].rule,
          self.marks(next, number) == marks
        {
          continue
        }
        let names =
          manifest.sites[first].name + (first < site ? " to \(manifest.sites[site].name)" : "")
        rows.append((branches.count > 1 ? "\(names), \(branch)" : names, marks))
        first = next
      }
    }
    let width = rows.map(\.label.count).max() ?? 0
    return rows.map { "  \(padded($0.label, width))  \($0.marks)" }
  }

  /// One mark a step: computed, reused, or no call.
  private func marks(_ site: Int, _ branch: Int) -> String {
    String(
      (0..<manifest.steps).map { step -> Character in
        let call = step * branches.count + branch
        guard tookPlace[call] else { return " " }
        return computed[call * manifest.sites.count + site] ? "█" : "·"
      })
  }

  private func table(
    of rule: Manifest.Rule, _ measured: Manifest.Rule.Metric, site: Int
  ) -> [String] {
    let side = measured.reusesBelow.map { $0 ? "below" : "above" }
    let limit = measured.threshold.map { "\($0)" } ?? "its threshold"
    var lines = [
      "  rule '\(rule.name)'"
        + (side.map { " reuses while its metric is \($0) \(limit)" } ?? " reports a metric")
    ]
    var known = [Bool](repeating: false, count: branches.count)
    for step in 0..<manifest.steps {
      var cells: [String] = []
      for branch in branches.indices {
        let call = step * branches.count + branch
        let place = call * manifest.sites.count + site
        let cell =
          tookPlace[call]
          ? decision(computed[place], metric[place], step, measured, isFirst: !known[branch])
          : "no call"
        known[branch] = known[branch] || tookPlace[call]
        cells.append(branches.count > 1 ? "\(branches[branch]) \(padded(cell, 44))" : cell)
      }
      let row = "  step \(padded("\(step)", 4)) " + cells.joined(separator: "  ")
      lines.append(String(row.reversed().drop { $0 == " " }.reversed()))
    }
    return lines
  }

  /// What a call did, and the first reason that explains it.
  private func decision(
    _ isComputed: Bool, _ value: Float, _ step: Int, _ measured: Manifest.Rule.Metric,
    isFirst: Bool
  ) -> String {
    let word = isComputed ? "computed" : "reused"
    if isFirst { return "\(word): nothing was kept yet" }
    let number = value.isFinite ? "metric \(value)" : "metric is not a number"
    if measured.forcedSteps.contains(step) { return "\(word): by a clause, \(number)" }
    guard let reusesBelow = measured.reusesBelow, let threshold = measured.threshold else {
      return "\(word): \(number)"
    }
    let isBelow = Double(value) < threshold
    let sign = value.isNaN ? "beside" : isBelow ? "<" : Double(value) == threshold ? "=" : ">"
    let comparison = "\(number) \(sign) \(threshold)"
    let saysReuse = !value.isNaN && isBelow == reusesBelow
    return saysReuse == !isComputed
      ? "\(word): \(comparison)" : "\(word): \(comparison), but another condition decided"
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
