import GraphIR
import Tensors

/// ONNX's multidirectional broadcasting of shapes that may hold symbols
/// (https://onnx.ai/onnx/repo-docs/Broadcasting.html).
enum Broadcasting {
  /// The shape that all operands broadcast to, or nil while the rank of one is unknown.
  ///
  /// Two different sizes that are not both numbers are taken to be equal, which `context` is told:
  /// it says which of them to go on with. Actual sizes are checked when types are inferred with
  /// numbers.
  static func infer(
    _ shapes: [[Dimension]?], _ context: (any InferenceContext)? = nil
  ) throws(OperatorError) -> [Dimension]? {
    let known = shapes.compactMap { $0 }
    guard known.count == shapes.count else { return nil }
    let rank = known.map(\.count).max() ?? 0
    var result = [Dimension](repeating: 1, count: rank)
    for shape in known {
      for (axis, dimension) in zip(rank - shape.count..<rank, shape) {
        guard let joined = join(result[axis], dimension, context) else {
          throw .badOperands("shapes \(describe(known)) do not broadcast at axis \(axis)")
        }
        result[axis] = joined
      }
    }
    return result
  }

  /// Operands, at least one, and the shape that they broadcast to.
  static func tensors(
    _ inputs: [RuntimeValue?]
  ) throws(OperatorError) -> (operands: [Tensor], shape: Shape) {
    var operands = [try inputs.tensor(0)]
    var shape = operands[0].shape
    for position in inputs.indices.dropFirst() {
      let operand = try inputs.tensor(position)
      guard let joined = shape.broadcast(with: operand.shape) else {
        throw .badOperands("shapes \(shape) and \(operand.shape) do not broadcast")
      }
      shape = joined
      operands.append(operand)
    }
    return (operands, shape)
  }

  /// The size that two sizes broadcast to, or nil when they cannot.
  private static func join(
    _ a: Dimension, _ b: Dimension, _ context: (any InferenceContext)?
  ) -> Dimension? {
    if a == b || b.value == 1 { return a }
    if a.value == 1 { return b }
    if a.value != nil, b.value != nil { return nil }
    let preferred = context?.assumeEqual(a, b) ?? a
    return a.value != nil ? a : b.value != nil ? b : preferred
  }

  private static func describe(_ shapes: [[Dimension]]) -> String {
    shapes.map(\.description).joined(separator: ", ")
  }
}
