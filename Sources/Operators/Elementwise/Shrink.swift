import GraphIR
import Kernels

/// [Shrink](https://onnx.ai/onnx/operators/onnx__Shrink.html): numbers nearer to 0 than `lambd`
/// become 0, others move towards it by `bias`.
struct Shrink: ParametricOperator {
  static let key: OpKey = "Shrink"
  static let versions = 9...24

  let function: ParametricFunction

  var elementTypes: ElementTypes { .numbers }

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    function = .shrink(
      lambda: try node.float("lambd", default: 0.5), bias: try node.float("bias", default: 0))
  }
}
