import GraphIR
import Tensors

/// Following known elements through operators that move elements and compute none.
///
/// The operator's own arithmetic runs on tensors of element numbers; where the numbers end up,
/// the elements do.
enum ElementMovement {
  /// The elements of a result of a shape, or nil when those of an operand are not known or the
  /// result is not small.
  ///
  /// `move` does what the operator does; it receives an int64 tensor for each operand.
  static func follow(
    _ operands: [ValueFact], to shape: [Dimension]?,
    _ move: ([Tensor]) throws(OperatorError) -> Tensor
  ) throws(OperatorError) -> [Dimension]? {
    guard let result = TensorType(nil, shape).concreteShape,
      result.elementCount <= ValueFact.maximumElements
    else { return nil }
    var pool: [Dimension] = []
    var numbers: [Tensor] = []
    for operand in operands {
      guard let shape = operand.type.tensor?.concreteShape, let elements = operand.elements,
        elements.count == shape.elementCount
      else { return nil }
      let range = pool.count..<pool.count + elements.count
      numbers.append(Tensor(range.map { Int64($0) }, shape: shape))
      pool += elements
    }
    return try move(numbers).elements(as: Int64.self).map { pool[Int($0)] }
  }
}
