public import Tensors

/// An operator that computes faster with a constant operand laid out in another way, once.
public protocol PreparingOperator: Operator {
  /// The operand.
  var preparedOperand: Int { get }

  /// What is done to the operand: the same word for the same layout.
  var preparation: String { get }

  /// The operand in its other layout, no larger than it was; nil to leave it alone.
  func prepare(_ operand: Tensor) throws(OperatorError) -> Tensor?

  /// The operator that takes the operand prepared; `shape` is that before.
  func taking(preparedOf shape: Shape) -> any Operator
}
