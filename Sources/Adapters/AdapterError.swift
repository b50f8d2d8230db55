public import Tensors

/// An adapter that does not fit a model.
public struct AdapterError: ReportedError, Hashable {
  /// A kebab-case word that never changes.
  public let code: String
  /// The adapter.
  public let place: String
  /// What is wrong.
  public let message: String
  /// What to do about it.
  public let hint: String?
  /// The kind of failure.
  public let category: FailureCategory

  /// An error about an adapter.
  public init(
    _ code: String, at place: String, _ message: String, hint: String? = nil,
    category: FailureCategory = .badSchedule
  ) {
    self.code = code
    self.place = place
    self.message = message
    self.hint = hint
    self.category = category
  }
}
