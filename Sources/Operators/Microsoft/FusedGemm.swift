import GraphIR
import Tensors

/// [FusedGemm](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#commicrosoftfusedgemm):
/// Gemm, then an activation.
struct FusedGemm: Operator {
  static let key = OpKey("FusedGemm", domain: "com.microsoft")
  static let versions = 1...1

  private let gemm: Gemm
  private let activation: Activation.Fused?

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...3)
    gemm = try Gemm(attributesOf: &node)
    activation = try Activation.fused(&node)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    try gemm.infer(inputs, context)
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let results = try gemm.run(inputs, context)
    try activation?.apply(to: results[0].tensor())
    return results
  }

  /// Those of the operator without the activation.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    gemm.flops(inputs: inputs, outputs: outputs)
  }
}
