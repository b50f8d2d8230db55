import GraphIR
import Tensors

/// [SpaceToDepth](https://onnx.ai/onnx/operators/onnx__SpaceToDepth.html): squares of pixels moved
/// into channels.
struct SpaceToDepth: Operator {
  static let key: OpKey = "SpaceToDepth"
  static let versions = 1...24

  private let size: Int

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    size = try node.blockSize()
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    return [ValueFact(type.dataType, try type.shape.map(moved))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let shape = try Shape.concrete(moved([Dimension](x.shape)))
    let blocks = try x.reshaped(
      to: .checked([x.shape[0], x.shape[1], shape[2], size, shape[3], size]), context)
    return [.tensor(try blocks.transposed([0, 3, 5, 1, 2, 4]).reshaped(to: shape, context))]
  }

  private func moved(_ shape: [Dimension]) throws(OperatorError) -> [Dimension] {
    guard shape.count == 4, (shape[2].value ?? 0) % size == 0, (shape[3].value ?? 0) % size == 0,
      let height = shape[2].floorDivided(by: Dimension(size)),
      let width = shape[3].floorDivided(by: Dimension(size))
    else { throw .badOperands("\(shape) has no squares of \(size) × \(size) pixels") }
    return [shape[0], shape[1] * Dimension(size * size), height, width]
  }
}
