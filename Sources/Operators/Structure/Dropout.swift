import GraphIR
import Kernels
import Tensors

/// [Dropout](https://onnx.ai/onnx/operators/onnx__Dropout.html): the operand itself, as in inference,
/// and a mask that keeps everything.
///
/// Training, which drops elements at random, is refused.
struct Dropout: Operator {
  static let key: OpKey = "Dropout"
  static let versions = 7...24

  private let yieldsMask: Bool
  private let maskType: DataType?

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...(node.opset < 12 ? 1 : 3))
    yieldsMask = node.hasOutput(1)
    maskType = node.opset < 10 ? nil : .bool
    node.skip(node.opset < 12 ? "ratio" : "seed")
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.floatingPoint.require(type.dataType, operand: 0)
    guard yieldsMask else { return [ValueFact(.tensor(type))] }
    return [ValueFact(.tensor(type)), ValueFact(maskType ?? type.dataType, type.shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    if try inputs.integers(2)?.first ?? 0 != 0 {
      let ratio = try inputs.optionalTensor(1)?.cast(to: .float32, context)
      guard let ratio, ratio.elements(as: Float.self) == [0] else {
        throw .unsupported("training is not implemented")
      }
    }
    guard yieldsMask else { return [.tensor(x)] }
    let mask = try context.makeTensor(maskType ?? x.dataType, x.shape)
    Copying.fill(mask, with: try .scalar(1, as: mask.dataType))
    return [.tensor(x), .tensor(mask)]
  }
}
