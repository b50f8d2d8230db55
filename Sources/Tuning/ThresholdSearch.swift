/// The thresholds with which a rule decides as it did in some runs.
///
/// A rule that reuses while its metric is below a threshold decides the same with every threshold
/// above the largest metric that was reused, up to the smallest that was computed: metrics depend on
/// earlier decisions alone.
public struct ThresholdInterval: Hashable, Sendable {
  /// Not included.
  public var low: Double
  /// Included.
  public var high: Double

  /// An interval.
  public init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }

  /// The interval around a threshold from what was recorded.
  ///
  /// - Parameters:
  ///   - threshold: the threshold of the runs
  ///   - metrics: what was compared with it, of all runs; others than finite numbers compute always
  public init(around threshold: Double, metrics: some Sequence<Double>) {
    low = -.infinity
    high = .infinity
    for metric in metrics where metric.isFinite {
      if metric < threshold { low = max(low, metric) } else { high = min(high, metric) }
    }
  }

  /// The number of the fewest digits inside the interval; nil of an empty one.
  public var shortest: Double? {
    guard low < high else { return nil }
    if low == -.infinity { return high == .infinity ? 0 : high }
    let middle = high == .infinity ? max(2 * low, low + 1) : low + (high - low) / 2
    for digits in 1...9 {
      let text = Self.rounded(middle, digits: digits)
      if text > low, text <= high { return text }
    }
    return middle > low ? middle : high
  }

  private static func rounded(_ value: Double, digits: Int) -> Double {
    guard value != 0, value.isFinite else { return value }
    var unit = 1.0
    while abs(value) * unit < 1 { unit *= 10 }
    while abs(value) * unit >= 10 { unit /= 10 }
    for _ in 1..<digits { unit *= 10 }
    return (value * unit).rounded() / unit
  }
}

/// Finds the largest threshold whose runs keep a promise, by exact breakpoints.
///
/// It takes for granted that larger thresholds keep it less.
public struct ThresholdSearch: Sendable {
  /// Where thresholds may lie.
  public let range: ClosedRange<Double>
  /// The most thresholds that are tried.
  public let attempts: Int

  /// A search in a range.
  public init(range: ClosedRange<Double>, attempts: Int = 12) {
    self.range = range
    self.attempts = attempts
  }

  /// Tries thresholds from `start` on.
  ///
  /// It ends when no threshold between the best that keeps the promise and the least that breaks it
  /// would decide otherwise than these, or after `attempts`.
  ///
  /// - Parameters:
  ///   - start: the first threshold
  ///   - attempt: runs a threshold; says whether the promise was kept and where the same happens;
  ///     nil ends the search
  /// - Returns: the interval of the best threshold, and whether the search came to its end; nil when
  ///   none kept the promise
  public func largest(
    from start: Double,
    attempt: (Double) throws -> (isKept: Bool, interval: ThresholdInterval)?
  ) rethrows -> (interval: ThresholdInterval, isExact: Bool)? {
    var kept: ThresholdInterval?
    var broken: ThresholdInterval?
    var next: Double? = min(max(start, range.lowerBound), range.upperBound)
    for _ in 0..<attempts {
      guard let threshold = next, let result = try attempt(threshold) else { break }
      if result.isKept { kept = result.interval } else { broken = result.interval }
      next = candidate(kept, broken, from: threshold)
    }
    return kept.map { ($0, next == nil) }
  }

  /// A threshold that would decide otherwise than both sides; nil when there is none.
  private func candidate(
    _ kept: ThresholdInterval?, _ broken: ThresholdInterval?, from last: Double
  ) -> Double? {
    switch (kept, broken) {
    case (let kept?, let broken?):
      guard kept.high < broken.low else { return nil }
      let middle = kept.high + (broken.low - kept.high) / 2
      return ThresholdInterval(low: kept.high, high: broken.low).shortest ?? middle
    case (let kept?, nil):
      guard kept.high < range.upperBound else { return nil }
      return min(max(2 * last, kept.high * 1.5), range.upperBound)
    case (nil, let broken?):
      guard broken.low >= range.lowerBound, broken.low.isFinite else { return nil }
      return max(min(last / 2, broken.low / 1.5), range.lowerBound)
    case (nil, nil): return nil
    }
  }
}
