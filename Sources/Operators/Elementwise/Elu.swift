import GraphIR
import Kernels

/// [Elu](https://onnx.ai/onnx/operators/onnx__Elu.html): x where it is positive, else
/// `alpha` (eˣ − 1).
struct Elu: ParametricOperator {
  static let key: OpKey = "Elu"
  static let versions = 7...24

  let function: ParametricFunction

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    function = .elu(alpha: try node.float("alpha", default: 1))
  }
}
