import GraphIR
import Kernels

/// [FastGelu](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#commicrosoftfastgelu):
/// GELU by its approximation with tanh, of x or of x + bias.
struct FastGelu: BiasedOperator {
  static let key = OpKey("FastGelu", domain: "com.microsoft")
  static let versions = 1...1

  let operation = UnaryOperation.geluTanh

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...2)
  }
}
