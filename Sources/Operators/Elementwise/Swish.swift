import GraphIR
import Tensors

/// [Swish](https://onnx.ai/onnx/operators/onnx__Swish.html): x · sigmoid(`alpha` x), also known as
/// SiLU when `alpha` is 1.
struct Swish: Operator {
  static let key: OpKey = "Swish"
  static let versions = 24...24

  private let alpha: Float

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    alpha = try node.float("alpha", default: 1)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.floatingPoint.require(type.dataType, operand: 0)
    return [ValueFact(.tensor(type))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    [.tensor(try Activation.swish(try inputs.tensor(0), alpha: alpha, context))]
  }
}
