/// What `run` did, as JSON of schema 1.
public struct RunReport: Encodable, Sendable {
  /// The version of this layout.
  public let schema = 1
  /// The outputs.
  public let outputs: [InspectReport.PortReport]
  /// Wall time, weights read and plan made included.
  public let seconds: Double
  /// Threads that computed.
  public let threads: Int
}

/// How a model compares with golden data, as JSON of schema 1.
public struct GoldenReport: Encodable, Sendable {
  /// The version of this layout.
  public let schema = 1
  /// The outputs.
  public let outputs: [Output]
  /// The greatest difference of all; nil when it is not finite.
  public let maximumDifference: Double
  /// Whether it is within the tolerance.
  public let passed: Bool

  /// One output.
  public struct Output: Encodable, Sendable {
    /// Its name.
    public let name: String
    /// The greatest |ours − golden|.
    public let maximumDifference: Double
  }
}
