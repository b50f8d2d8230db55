import GraphIR
import Kernels

/// [Selu](https://onnx.ai/onnx/operators/onnx__Selu.html): `gamma` x where x is positive,
/// else `gamma` `alpha` (eˣ − 1).
struct Selu: ParametricOperator {
  static let key: OpKey = "Selu"
  static let versions = 7...24

  let function: ParametricFunction

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    function = .selu(
      alpha: try node.float("alpha", default: 1.67326319217681884765625),
      gamma: try node.float("gamma", default: 1.05070102214813232421875))
  }
}
