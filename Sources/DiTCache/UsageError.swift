public import Tensors

/// Arguments that do not fit each other, the model or the machine.
public struct UsageError: ReportedError, Hashable {
  /// A kebab-case word that never changes.
  public let code: String
  /// The option or file.
  public let place: String
  /// What is wrong.
  public let message: String
  /// What to do about it.
  public let hint: String?
  /// The kind of failure.
  public let category: FailureCategory

  /// An error about how something was asked for.
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

extension UsageError {
  /// A check that ran and did not hold.
  public static func checkFailed(_ code: String, at place: String, _ message: String) -> UsageError
  {
    UsageError(code, at: place, message, category: .checkFailed)
  }

  /// Results that could not be delivered.
  public static func lost(_ code: String, at place: String, _ message: String) -> UsageError {
    UsageError(code, at: place, message, category: .inputOutput)
  }

  /// Something valid that this version cannot do.
  public static func unsupported(
    _ code: String, at place: String, _ message: String, hint: String? = nil
  ) -> UsageError {
    UsageError(code, at: place, message, hint: hint, category: .unsupported)
  }
}
