import GraphIR
import Tensors

/// [CastLike](https://onnx.ai/onnx/operators/onnx__CastLike.html): the elements converted to the
/// type of the second operand.
struct CastLike: Operator {
  static let key: OpKey = "CastLike"
  static let versions = 15...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
    if node.opset >= 19 { _ = try node.int("saturate") }
    if node.opset >= 24 { _ = try node.string("round_mode") }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    guard let target = try inputs.required(1).dataType else { return [ValueFact(nil, data.shape)] }
    return [ValueFact(target, data.shape, elements: data.elements.flatMap(target.converted))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let target = try inputs.tensor(1).dataType
    return [.tensor(try inputs.tensor(0).cast(to: target, context))]
  }
}
