public import Tensors

/// A graph that breaks its own rules, or a request that does not fit the graph.
public struct GraphError: ReportedError, Hashable {
  /// A kebab-case word that never changes.
  public let code: String
  /// The graph, node or value.
  public let place: String
  /// What is wrong.
  public let message: String
  /// What to do about it.
  public let hint: String?
  /// The kind of failure.
  public let category: FailureCategory

  /// An error about a graph.
  public init(
    _ code: String, at place: String, _ message: String, hint: String? = nil,
    category: FailureCategory = .badModel
  ) {
    self.code = code
    self.place = place
    self.message = message
    self.hint = hint
    self.category = category
  }
}
