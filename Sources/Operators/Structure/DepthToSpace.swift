import GraphIR
import Tensors

/// [DepthToSpace](https://onnx.ai/onnx/operators/onnx__DepthToSpace.html): blocks of channels moved
/// into squares of pixels.
struct DepthToSpace: Operator {
  static let key: OpKey = "DepthToSpace"
  static let versions = 1...24

  private let size: Int
  private let isColumnFirst: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    size = try node.blockSize()
    isColumnFirst =
      node.opset >= 11
      ? try node.word("mode", in: ["DCR", "CRD"], default: "DCR") == "CRD" : false
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
    let channels = x.shape[1] / (size * size)
    let parts = isColumnFirst ? [channels, size, size] : [size, size, channels]
    let blocks = try x.reshaped(
      to: .checked([x.shape[0]] + parts + [x.shape[2], x.shape[3]]), context)
    let order = isColumnFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]
    return [.tensor(try blocks.transposed(order).reshaped(to: shape, context))]
  }

  private func moved(_ shape: [Dimension]) throws(OperatorError) -> [Dimension] {
    guard shape.count == 4, (shape[1].value ?? 0) % (size * size) == 0,
      let channels = shape[1].floorDivided(by: Dimension(size * size))
    else { throw .badOperands("\(shape) has no blocks of \(size) × \(size) channels") }
    return [shape[0], channels, shape[2] * Dimension(size), shape[3] * Dimension(size)]
  }
}

extension NodeReader {
  /// The attribute `blocksize`, whose square fits.
  mutating func blockSize() throws(OperatorError) -> Int {
    guard let size = try int("blocksize"), size > 0, size <= Int(Int32.max) else {
      throw .badOperands("'blocksize' is missing or not positive")
    }
    return size
  }
}
