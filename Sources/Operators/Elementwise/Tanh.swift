import GraphIR
import Kernels

/// [Tanh](https://onnx.ai/onnx/operators/onnx__Tanh.html): the hyperbolic tangent of every element.
struct Tanh: PlainUnaryOperator {
  static let key: OpKey = "Tanh"
  static let versions = 7...24

  let operation = UnaryOperation.hyperbolicTangent
}
