import GraphIR
import Kernels

/// [Gelu](https://onnx.ai/onnx/operators/onnx__Gelu.html): x Φ(x), exact or by the approximation
/// with tanh.
struct Gelu: UnaryOperator {
  static let key: OpKey = "Gelu"
  static let versions = 20...24

  let operation: UnaryOperation

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    let form = try node.word("approximate", in: ["none", "tanh"], default: "none")
    operation = form == "tanh" ? .geluTanh : .gelu
  }
}
