public import Tensors

/// Sizes given by a user or a feed that do not fit the model or each other.
public struct DimensionError: ReportedError, Hashable {
  /// `dimension-conflict` or `unknown-dimension`.
  public let code: String
  /// The input and axis, or the name that was given.
  public let place: String
  /// What is wrong, with both numbers.
  public let message: String
  /// What to do about it.
  public let hint: String?
  /// Usage.
  public var category: FailureCategory { .usage }

  init(_ code: String, at place: String, _ message: String, hint: String? = nil) {
    self.code = code
    self.place = place
    self.message = message
    self.hint = hint
  }
}
