/// A function that a model defines for itself: nodes that stand for one operator.
///
/// Its body captures nothing; operands and results are the body's inputs and outputs in order.
public struct LocalFunction: Sendable {
  /// The operator that nodes call it by.
  public let op: OpKey
  /// What it computes; types need not be known.
  public let body: Graph

  /// A function.
  public init(_ op: OpKey, body: Graph) {
    self.op = op
    self.body = body
  }
}
