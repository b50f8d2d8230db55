public import CacheContract
import Foundation
import Tensors

/// What one cache node of a run did, and what its metric was.
public struct SiteDiagnostics: Hashable, Sendable {
  /// The steps that computed it, ascending, for each branch of the recording.
  public let computedSteps: [[Int]]
  /// The metric over all calls that had one; nil if none had.
  public let metric: Spread?
  /// Calls whose metric should be a number and was NaN or infinite; a rule computes then.
  public let notFiniteCalls: Int
  /// Whether the site's rule decides during the run and computed in every call.
  public let neverFired: Bool
  /// Thresholds with which a site that never fired would have, for a quarter and a half of the
  /// steps; empty where another threshold would not have helped.
  public let firings: [Firing]

  /// Order statistics of the finite numbers among the metrics of a site.
  public struct Spread: Hashable, Sendable {
    /// How many there are.
    public let count: Int
    /// The least.
    public let minimum: Double
    /// Percentile 10.
    public let p10: Double
    /// The median.
    public let p50: Double
    /// Percentile 90.
    public let p90: Double
    /// The largest.
    public let maximum: Double

    /// Percentiles by linear interpolation, as `numpy.percentile` has them; nil of no numbers.
    public init?(of numbers: [Double]) {
      let sorted = numbers.sorted()
      guard let first = sorted.first, let last = sorted.last else { return nil }
      func percentile(_ part: Double) -> Double {
        let place = part * Double(sorted.count - 1)
        let below = Int(place)
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
      }
      count = sorted.count
      minimum = first
      p10 = percentile(0.1)
      p50 = percentile(0.5)
      p90 = percentile(0.9)
      maximum = last
    }
  }

  /// A threshold and what the recorded metrics say it would have done.
  ///
  /// Once a step is reused, the metrics after it are others: a metric that accumulates fires less
  /// often than this.
  public struct Firing: Hashable, Sendable {
    /// The steps on which the metric of every branch lets the rule reuse.
    public let steps: Int
    /// The threshold.
    public let threshold: Double

    /// A threshold and what it would have done.
    public init(steps: Int, threshold: Double) {
      self.steps = steps
      self.threshold = threshold
    }
  }
}

extension Recording {
  /// What each site of the manifest did; empty for a model without cache.
  public func diagnostics(_ manifest: Manifest) -> [SiteDiagnostics] {
    guard let computed, let metric, computed.shape[2] == manifest.sites.count else { return [] }
    let flags = computed.elements(as: Bool.self)
    let numbers = metric.elements(as: Float.self)
    let rules = Dictionary(manifest.rules.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    return manifest.sites.indices.map { site in
      let calls = tookPlace.indices.filter { tookPlace[$0] }.map { call in
        let place = call * manifest.sites.count + site
        return SiteCall(
          step: call / branches.count, branch: call % branches.count,
          expert: experts?[call / branches.count] ?? 0, computed: flags[place],
          metric: Double(numbers[place]))
      }
      return SiteDiagnostics(
        calls, branches: branches.count, rule: rules[manifest.sites[site].rule])
    }
  }
}

/// What a site did in one call.
private struct SiteCall {
  let step: Int
  let branch: Int
  let expert: Int
  let computed: Bool
  let metric: Double
}

extension SiteDiagnostics {
  fileprivate init(_ calls: [SiteCall], branches: Int, rule: Manifest.Rule?) {
    let own = (0..<branches).map { branch in calls.filter { $0.branch == branch } }
    computedSteps = own.map { $0.filter(\.computed).map(\.step) }
    metric = Spread(of: calls.map(\.metric).filter(\.isFinite))
    let comparing =
      rule?.metric == nil
      ? []
      : own.flatMap { calls in
        zip(calls.dropFirst(), calls).filter { $0.expert == $1.expert }.map(\.0)
      }
    notFiniteCalls = comparing.count { !$0.metric.isFinite }
    let decides = rule.map { $0.table.isEmpty } ?? false
    neverFired = decides && !calls.isEmpty && calls.allSatisfy(\.computed)
    firings = neverFired ? rule?.metric.map { $0.firings(comparing) } ?? [] : []
  }
}

extension Manifest.Rule.Metric {
  /// The thresholds for a quarter and a half of the steps of a site that never fired.
  fileprivate func firings(_ calls: [SiteCall]) -> [SiteDiagnostics.Firing] {
    guard let reusesBelow else { return [] }
    let sign: Double = reusesBelow ? 1 : -1
    let byStep = Dictionary(grouping: calls) { $0.step }
    let forced = Set(forcedSteps)
    let hardest = byStep.compactMap { step, calls -> Double? in
      guard !forced.contains(step), calls.allSatisfy(\.metric.isFinite) else { return nil }
      return calls.map { sign * $0.metric }.max()
    }.sorted()
    if let threshold, let easiest = hardest.first, easiest < sign * threshold { return [] }
    var firings: [SiteDiagnostics.Firing] = []
    for part in [4, 2] {
      let wanted = max(1, (byStep.count + 1) / part)
      guard wanted <= hardest.count else { continue }
      let value = hardest[wanted - 1]
      let next = hardest.first { $0 > value } ?? value + max(abs(value) / 8, 1e-6)
      let firing = SiteDiagnostics.Firing(
        steps: hardest.count { $0 <= value },
        threshold: sign * Self.shortest(between: value, and: next))
      if firing != firings.last { firings.append(firing) }
    }
    return firings
  }

  /// The number of the fewest digits near the middle of an interval and inside it.
  private static func shortest(between low: Double, and high: Double) -> Double {
    let middle = low + (high - low) / 2
    guard middle != 0 else { return 0 }
    let magnitude = Foundation.floor(Foundation.log10(abs(middle)))
    for digits in 1...9 {
      let scale = Foundation.pow(10, Double(digits - 1) - magnitude)
      let rounded = (middle * scale).rounded() / scale
      if rounded > low, rounded < high { return rounded }
    }
    return middle
  }
}
