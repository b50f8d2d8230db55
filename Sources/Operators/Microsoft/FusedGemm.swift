import GraphIR

/// [FusedGemm](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#commicrosoftfusedgemm):
/// Gemm, then an activation.
struct FusedGemm: FusedOperator {
  static let key = OpKey("FusedGemm", domain: "com.microsoft")
  static let versions = 1...1

  let operation: Gemm
  let activation: Activation.Fused?

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...3)
    operation = try Gemm(attributesOf: &node)
    activation = try Activation.fused(&node)
  }
}
