import GraphIR
import Kernels

/// [ThresholdedRelu](https://onnx.ai/onnx/operators/onnx__ThresholdedRelu.html): x where it is
/// above `alpha`, else 0.
struct ThresholdedRelu: ParametricOperator {
  static let key: OpKey = "ThresholdedRelu"
  static let versions = 10...24

  let function: ParametricFunction

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    function = .thresholdedRelu(alpha: try node.float("alpha", default: 1))
  }
}
