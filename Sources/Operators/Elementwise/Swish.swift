import GraphIR

/// [Swish](https://onnx.ai/onnx/operators/onnx__Swish.html): x · sigmoid(`alpha` x), also known as
/// SiLU when `alpha` is 1.
struct Swish: SwishOperator {
  static let key: OpKey = "Swish"
  static let versions = 24...24

  let alpha: Float

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    alpha = try node.float("alpha", default: 1)
  }
}
