import GraphIR
import Tensors

/// [Upsample](https://onnx.ai/onnx/operators/onnx__Upsample.html): `Resize` as it was before
/// operator set 10.
struct Upsample: Operator {
  static let key: OpKey = "Upsample"
  static let versions = 9...9

  private let resize: Resize

  init(_ node: inout NodeReader) throws(OperatorError) {
    resize = try Resize(&node)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    try resize.infer(inputs, context)
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    try resize.run(inputs, context)
  }
}
