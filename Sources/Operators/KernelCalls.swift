import Kernels
import Tensors

extension OperatorError {
  /// A kernel's refusal, as an error of the operator that called it.
  init(_ error: KernelError) {
    switch error.code {
    case .unsupportedType: self = .unsupported(error.message)
    case .tooLarge: self.init("size-overflow", error.message, category: .overLimit)
    case .divisionByZero, .notConvergent: self.init(error.code.rawValue, error.message)
    }
  }

  /// Runs kernels, their errors translated.
  static func translating<Result>(
    _ body: () throws(KernelError) -> Result
  ) throws(OperatorError) -> Result {
    do throws(KernelError) { return try body() } catch { throw OperatorError(error) }
  }
}

extension RunContext {
  /// A new row-major tensor that `compute` fills.
  func tensor(
    _ dataType: DataType, _ shape: Shape, _ compute: (Tensor) throws(KernelError) -> Void
  ) throws(OperatorError) -> Tensor {
    let result = try makeTensor(dataType, shape)
    do throws(KernelError) { try compute(result) } catch { throw OperatorError(error) }
    return result
  }
}

extension Tensor {
  /// A number as a scalar of a numeric type.
  static func scalar(_ value: Float, as dataType: DataType) throws(OperatorError) -> Tensor {
    let number = Tensor([value], shape: .scalar)
    return try OperatorError.translating { () throws(KernelError) in
      try Casting.cast(number, to: dataType)
    }
  }
}
