import GraphIR

/// [FusedConv](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#commicrosoftfusedconv):
/// Conv, then an activation.
struct FusedConv: FusedOperator {
  static let key = OpKey("FusedConv", domain: "com.microsoft")
  static let versions = 1...1

  let operation: Conv
  let activation: Activation.Fused?

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...3)
    operation = try Conv(attributesOf: &node)
    activation = try Activation.fused(&node)
  }
}
