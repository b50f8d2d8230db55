import GraphIR
import Kernels

/// [BiasGelu](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#commicrosoftbiasgelu):
/// GELU of x + bias.
struct BiasGelu: BiasedOperator {
  static let key = OpKey("BiasGelu", domain: "com.microsoft")
  static let versions = 1...1

  let operation = UnaryOperation.gelu

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
  }
}
