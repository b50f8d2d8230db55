public import Tensors

/// A schedule and a model that do not fit, or a model that cannot take cache nodes.
public struct CacheRewriteError: ReportedError, Hashable {
  /// A kebab-case word that never changes.
  public let code: String
  /// The site, rule or value.
  public let place: String
  /// What is wrong.
  public let message: String
  /// What to do about it.
  public let hint: String?
  /// The kind of failure.
  public let category: FailureCategory

  /// An error of the rewrite.
  public init(
    _ code: String, at place: String, _ message: String, hint: String? = nil,
    category: FailureCategory = .unsupported
  ) {
    self.code = code
    self.place = place
    self.message = message
    self.hint = hint
    self.category = category
  }
}
