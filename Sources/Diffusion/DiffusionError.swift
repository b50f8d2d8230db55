public import Tensors

/// Inputs of a denoising run that do not fit the model or each other.
public struct DiffusionError: ReportedError, Hashable {
  /// A kebab-case word that never changes.
  public let code: String
  /// The input.
  public let place: String
  /// What is wrong.
  public let message: String
  /// What to do about it.
  public let hint: String?
  /// The kind of failure.
  public let category: FailureCategory

  /// An error about a denoising run.
  public init(
    _ code: String, at place: String, _ message: String, hint: String? = nil,
    category: FailureCategory = .usage
  ) {
    self.code = code
    self.place = place
    self.message = message
    self.hint = hint
    self.category = category
  }
}
