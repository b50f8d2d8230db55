extension Manifest.Rule {
  /// What a rule compares during the run, for the reading of `ditcache/metric`.
  public struct Metric: Hashable, Sendable, Codable {
    /// True where the rule reuses while the metric is below the threshold, false where above; nil
    /// if the metric is only reported.
    public var reusesBelow: Bool?
    /// The schedule's threshold; nil if it is not one number.
    public var threshold: Double?
    /// The steps that the rule computes whatever the metric says, ascending.
    public var forcedSteps: [Int]

    /// A comparison.
    public init(reusesBelow: Bool?, threshold: Double?, forcedSteps: [Int]) {
      self.reusesBelow = reusesBelow
      self.threshold = threshold
      self.forcedSteps = forcedSteps
    }
  }
}
