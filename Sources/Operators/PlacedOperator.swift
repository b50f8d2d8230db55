import Kernels
public import Tensors

/// An operator that writes its only result where its surroundings want it: over an operand that
/// nobody reads any more, or into a part of a larger tensor.
///
/// It asks for the memory with `RunContext.makeResult`, once, and hands back that very tensor or a
/// view of it.
public protocol PlacedOperator: Operator {
  /// Operands whose memory the result may take over where it has their type and as many elements,
  /// and they are no other operand too: each element is read before its place is written.
  var overwritableOperands: [Int] { get }

  /// True for a layout that the result may have; a contiguous one always is.
  ///
  /// Only type, shape and strides of `layout` mean anything, it has no elements.
  func canWrite(into layout: Tensor) -> Bool
}

extension PlacedOperator {
  /// None.
  public var overwritableOperands: [Int] { [] }

  /// True for contiguous ones.
  public func canWrite(into layout: Tensor) -> Bool { layout.isContiguous }
}

extension RunContext {
  /// The result of a `PlacedOperator` that `compute` fills.
  func result(
    _ dataType: DataType, _ shape: Shape, _ compute: (Tensor) throws(KernelError) -> Void
  ) throws(OperatorError) -> Tensor {
    let result = try makeResult(dataType, shape)
    do throws(KernelError) { try compute(result) } catch { throw OperatorError(error) }
    return result
  }
}
