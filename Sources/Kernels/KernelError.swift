import Tensors

/// A computation that the operands do not allow.
public struct KernelError: Error, Hashable, Sendable {
  /// The stable name of a kind of failure.
  public enum Code: String, Hashable, Sendable {
    /// An integer was divided by zero.
    case divisionByZero = "division-by-zero"
    /// An iteration has no finite result.
    case notConvergent = "not-convergent"
    /// A size does not fit in what BLAS or memory can address.
    case tooLarge = "too-large"
    /// The element type has no implementation here.
    case unsupportedType = "unsupported-type"
  }

  /// What kind of failure it is.
  public var code: Code

  /// One sentence, with the numbers.
  public var message: String

  /// An error of a kind, described by one sentence.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  static func unsupported(_ operation: String, _ type: DataType) -> KernelError {
    KernelError(.unsupportedType, "\(operation) is not implemented for \(type)")
  }

  static func tooLarge(_ overflow: ArithmeticOverflow) -> KernelError {
    KernelError(.tooLarge, overflow.message)
  }
}

extension KernelError: CustomStringConvertible {
  /// The sentence.
  public var description: String { message }
}
