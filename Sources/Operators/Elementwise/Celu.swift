import GraphIR
import Kernels

/// [Celu](https://onnx.ai/onnx/operators/onnx__Celu.html): max(0, x) + min(0, `alpha`
/// (exp(x / `alpha`) − 1)).
struct Celu: ParametricOperator {
  static let key: OpKey = "Celu"
  static let versions = 12...24

  let function: ParametricFunction

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    function = .celu(alpha: try node.float("alpha", default: 1))
  }
}
