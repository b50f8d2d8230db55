import GraphIR

/// [QuickGelu](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#commicrosoftquickgelu):
/// x · sigmoid(`alpha` x), which is SiLU when `alpha` is 1.
struct QuickGelu: SwishOperator {
  static let key = OpKey("QuickGelu", domain: "com.microsoft")
  static let versions = 1...1

  let alpha: Float

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    alpha = try node.float("alpha", default: 1.702)
  }
}
