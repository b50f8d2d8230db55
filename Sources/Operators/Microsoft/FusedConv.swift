import GraphIR
import Tensors

/// [FusedConv](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#commicrosoftfusedconv):
/// Conv, then an activation.
struct FusedConv: Operator {
  static let key = OpKey("FusedConv", domain: "com.microsoft")
  static let versions = 1...1

  private let convolution: Conv
  private let activation: Activation.Fused?

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...3)
    convolution = try Conv(attributesOf: &node)
    activation = try Activation.fused(&node)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    try convolution.infer(inputs, context)
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let results = try convolution.run(inputs, context)
    try activation?.apply(to: results[0].tensor())
    return results
  }

  /// Those of the operator without the activation.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    convolution.flops(inputs: inputs, outputs: outputs)
  }
}
