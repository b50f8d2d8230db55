import GraphIR
import Kernels
import Tensors

/// [QuickGelu](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#commicrosoftquickgelu):
/// x · sigmoid(`alpha` x), which is SiLU when `alpha` is 1.
struct QuickGelu: Operator {
  static let key = OpKey("QuickGelu", domain: "com.microsoft")
  static let versions = 1...1

  private let alpha: Float

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    alpha = try node.float("alpha", default: 1.702)
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
