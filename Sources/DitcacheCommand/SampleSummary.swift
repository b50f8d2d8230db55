import DiTCache

/// What `sample` prints of a report.
struct SampleSummary {
  private let report: SampleReport
  private let isVerbose: Bool

  init(_ report: SampleReport, isVerbose: Bool) {
    self.report = report
    self.isVerbose = isVerbose
  }

  /// The table.
  var text: String {
    var rows = [
      ["scheduler", report.scheduler], ["steps", "\(report.steps)"],
      ["branches", report.branches.joined(separator: ", ")],
    ]
    for expert in report.experts ?? [] {
      let ends = [expert.steps.first, expert.steps.last].compactMap { $0.map(String.init) }
      rows.append(["expert \(expert.model)", "steps \(ends.joined(separator: " to "))"])
    }
    for site in report.sites {
      let metric = site.metric.map {
        ", metric \(Terminal.short($0.minimum)) to \(Terminal.short($0.maximum))"
      }
      rows.append([
        "site \(site.name)",
        "computed \(Terminal.decimal(100 * site.computed, 1)) % of calls\(metric ?? "")",
      ])
      if isVerbose { rows += details(site) }
    }
    if let saved = report.flopsSaved {
      rows.append(["FLOPs saved", "\(Terminal.decimal(100 * saved, 1)) %"])
    }
    if report.stateBytes > 0 {
      rows.append(["state", Terminal.scaled(report.stateBytes, unit: "B")])
      if isVerbose, report.branches.count > 1 {
        rows += zip(report.branches, report.branchStateBytes).map {
          ["  \($0)", Terminal.scaled($1, unit: "B")]
        }
      }
    }
    rows.append(["wall time", "\(Terminal.decimal(report.seconds)) s"])
    if let baseline = report.baselineSeconds {
      rows.append(["uncached", "\(Terminal.decimal(baseline)) s"])
      rows.append(["speed-up", "\(Terminal.decimal(baseline / report.seconds))x"])
    }
    rows += comparison(report.quality) + comparison(report.decodedQuality, of: "decoded ")
    for path in report.files { rows.append(["wrote", path]) }
    return Terminal.table(rows)
  }

  private func comparison(_ quality: SampleReport.Quality?, of what: String = "") -> [[String]] {
    guard let quality else { return [] }
    return [
      ["\(what)relative L1", Terminal.decimal(quality.relativeL1, 5)],
      ["\(what)PSNR", quality.psnrDb.map { "\(Terminal.decimal($0)) dB" } ?? "identical"],
    ]
  }

  private func details(_ site: SampleReport.Site) -> [[String]] {
    var rows = zip(report.branches, site.computedSteps).map { branch, steps in
      ["  \(branch)", "computed \(steps.map(String.init).joined(separator: " "))"]
    }
    if let metric = site.metric {
      rows.append([
        "  metric",
        "p10 \(Terminal.short(metric.p10)), p50 \(Terminal.short(metric.p50)), "
          + "p90 \(Terminal.short(metric.p90)) of \(metric.calls) calls",
      ])
    }
    if site.notFiniteCalls > 0 {
      rows.append(["  metric", "NaN or infinite in \(site.notFiniteCalls) calls"])
    }
    rows += site.wouldFire.map {
      ["  threshold \($0.threshold)", "would have reused up to \($0.steps) steps"]
    }
    return rows
  }
}
