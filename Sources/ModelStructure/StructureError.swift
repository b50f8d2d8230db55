public import Tensors

/// A range of blocks that cannot be cut out of the graph.
public struct StructureError: ReportedError, Hashable {
  /// A kebab-case word that never changes.
  public let code: String
  /// The range.
  public let place: String
  /// Which value crosses, at which node.
  public let message: String
  /// What to do about it.
  public let hint: String?
  /// The structure does not allow what was asked.
  public var category: FailureCategory { .unsupported }

  /// An error about a range of blocks.
  public init(_ code: String, at place: String, _ message: String, hint: String? = nil) {
    self.code = code
    self.place = place
    self.message = message
    self.hint = hint
  }
}
