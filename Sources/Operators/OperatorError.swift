public import Tensors

/// A node that an operator refuses, or a run that failed.
public struct OperatorError: ReportedError, Hashable {
  /// A kebab-case word that never changes.
  public let code: String
  /// The node; filled in by whoever knows it.
  public var place: String
  /// What is wrong.
  public let message: String
  /// What to do about it.
  public let hint: String?
  /// The kind of failure.
  public let category: FailureCategory

  /// An error; the place is added by the caller of the operator.
  public init(
    _ code: String, _ message: String, hint: String? = nil, category: FailureCategory = .badModel
  ) {
    self.code = code
    place = ""
    self.message = message
    self.hint = hint
    self.category = category
  }

  /// Operands whose types or shapes the operator does not allow.
  public static func badOperands(_ message: String) -> OperatorError {
    OperatorError("bad-operands", message)
  }

  /// A meaning that ONNX defines and this implementation lacks.
  public static func unsupported(_ message: String, hint: String? = nil) -> OperatorError {
    OperatorError("unsupported-operator", message, hint: hint, category: .unsupported)
  }

  /// A size that does not fit.
  public static func overflow(_ error: ArithmeticOverflow) -> OperatorError {
    OperatorError("size-overflow", error.message, category: .overLimit)
  }

  /// The same error at a node.
  public func at(_ place: String) -> OperatorError {
    var copy = self
    copy.place = self.place.isEmpty ? place : "\(place), \(self.place)"
    return copy
  }
}
