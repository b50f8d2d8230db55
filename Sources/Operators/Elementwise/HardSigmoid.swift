import GraphIR
import Kernels

/// [HardSigmoid](https://onnx.ai/onnx/operators/onnx__HardSigmoid.html): max(0, min(1, `alpha` x +
/// `beta`)).
struct HardSigmoid: ParametricOperator {
  static let key: OpKey = "HardSigmoid"
  static let versions = 7...24

  let function: ParametricFunction

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    function = .hardSigmoid(
      alpha: try node.float("alpha", default: 0.2), beta: try node.float("beta", default: 0.5))
  }
}
