/// When cached blocks are refreshed, from how much the predictions change.
public struct StepPlan: Hashable, Sendable {
  /// Steps that compute everything.
  public let warmup: Int
  /// The interval at the first step after the warm-up, `T_max`.
  public let longest: Double
  /// The interval at the end, `T_min`.
  public let shortest: Double
  /// The steps that refresh, ascending, the first right after the warm-up.
  public let refresh: [Int]

  /// A plan along a curve.
  ///
  /// The warm-up ends after the last of the first third of steps that change more than twice the
  /// median; published is 6 of 50. From each later step, steps may follow until the curve has
  /// changed by `interval` times its mean; a line through these numbers gives `T_max` and `T_min`.
  /// Steps are then `s ← s + T_s` with `T_s = T_max − (T_max − T_min)(s − s₀)/(S − s₀)`, rounded:
  /// equations 11 to 15 of ProfilingDiT (arXiv 2504.03140), which does not say where its two
  /// intervals come from.
  ///
  /// - Parameters:
  ///   - changes: how far the prediction of each step is from the one before, from step 1 on
  ///   - warmup: the warm-up; nil finds it
  ///   - interval: the mean interval that is aimed at; the published schedule for Wan has 6
  public init(changes: [Double], warmup: Int? = nil, interval: Double = 6) {
    let steps = changes.count + 1
    let start = min(warmup ?? Self.warmup(changes), max(steps - 1, 0))
    // reached[s]: the sum of changes up to step s.
    var reached = [0.0]
    for change in changes { reached.append((reached.last ?? 0) + max(change, 0)) }
    let span = (reached.last ?? 0) - reached[start]
    let budget = interval * span / Double(max(steps - 1 - start, 1))
    let spans = (start..<steps).compactMap { step in
      Self.steps(from: step, within: budget, reached).map { (Double(step), $0) }
    }
    let line = Self.line(spans) ?? (0, interval)
    let limits = 1...Double(max(steps - start, 1))
    func fitted(_ step: Int) -> Double {
      min(max(line.slope * Double(step) + line.offset, limits.lowerBound), limits.upperBound)
    }
    self.warmup = start
    longest = fitted(start)
    shortest = fitted(steps)
    refresh = Self.refresh(from: start, steps: steps, longest: longest, shortest: shortest)
  }

  /// The steps of equation 15.
  static func refresh(from start: Int, steps: Int, longest: Double, shortest: Double) -> [Int] {
    var result: [Int] = []
    var step = start
    while step < steps {
      result.append(step)
      let part = Double(step - start) / Double(max(steps - start, 1))
      step += max(1, Int((longest - (longest - shortest) * part).rounded()))
    }
    return result
  }

  private static func warmup(_ changes: [Double]) -> Int {
    let sorted = changes.sorted()
    guard !sorted.isEmpty else { return 0 }
    let limit = 2 * sorted[sorted.count / 2]
    let early = changes.prefix((changes.count + 1) / 3)
    // changes[i] is that of step i + 1.
    return (early.lastIndex { $0 > limit } ?? 0) + 2
  }

  /// How many steps later the curve has changed by a budget; nil when it ends before.
  private static func steps(
    from step: Int, within budget: Double, _ reached: [Double]
  ) -> Double? {
    let target = reached[step] + budget
    guard let end = reached.indices.dropFirst(step + 1).first(where: { reached[$0] >= target })
    else { return nil }
    let width = reached[end] - reached[end - 1]
    return Double(end - 1 - step) + (width > 0 ? (target - reached[end - 1]) / width : 1)
  }

  /// The line of least squares; nil of fewer than two places.
  private static func line(_ points: [(Double, Double)]) -> (slope: Double, offset: Double)? {
    guard points.count > 1 else { return nil }
    let count = Double(points.count)
    let (x, y) = points.reduce((0.0, 0.0)) { ($0.0 + $1.0 / count, $0.1 + $1.1 / count) }
    let (above, below) = points.reduce((0.0, 0.0)) {
      ($0.0 + ($1.0 - x) * ($1.1 - y), $0.1 + ($1.0 - x) * ($1.0 - x))
    }
    let slope = above / below
    return (slope, y - slope * x)
  }
}
