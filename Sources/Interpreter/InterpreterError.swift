import Operators
public import Tensors

/// A feed that does not fit the model, or a run that failed.
public struct InterpreterError: ReportedError, Hashable {
  /// A kebab-case word that never changes, such as `missing-input`.
  public let code: String
  /// The input or node.
  public let place: String
  /// What is wrong; for a node it ends with the types of its operands.
  public let message: String
  /// What to do about it.
  public let hint: String?
  /// The kind of failure.
  public let category: FailureCategory

  init(
    _ code: String, at place: String, _ message: String, hint: String? = nil,
    category: FailureCategory = .usage
  ) {
    self.code = code
    self.place = place
    self.message = message
    self.hint = hint
    self.category = category
  }

  init(_ error: OperatorError) {
    self.init(
      error.code, at: error.place, error.message, hint: error.hint, category: error.category)
  }
}

extension OperatorError {
  /// Any error as one of a constant that could not be read.
  static func unreadable(_ error: any Error, at place: String) -> OperatorError {
    guard let cause = error as? any ReportedError else {
      return OperatorError("unreadable-constant", "\(error)").at(place)
    }
    let inner = cause.place.isEmpty ? place : "\(place), \(cause.place)"
    return OperatorError(
      cause.code, cause.message, hint: cause.hint, category: cause.category
    ).at(inner)
  }
}
