public import Tensors

/// An operator that computes faster with constant operands laid out in another way, once.
public protocol PreparingOperator: Operator {
  /// The operands.
  var preparedOperands: [Int] { get }

  /// What is done to each of them: the same word for the same layout.
  var preparation: String { get }

  /// An operand in its other layout, no larger than it was; nil to leave it alone.
  func prepare(_ operand: Tensor) throws(OperatorError) -> Tensor?

  /// The operator that takes the operand at a position prepared; `shape` is that before.
  func taking(prepared position: Int, of shape: Shape) -> any Operator
}
