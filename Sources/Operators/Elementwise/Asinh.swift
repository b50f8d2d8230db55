import GraphIR
import Kernels

/// [Asinh](https://onnx.ai/onnx/operators/onnx__Asinh.html): the inverse of the hyperbolic sine.
struct Asinh: PlainUnaryOperator {
  static let key: OpKey = "Asinh"
  static let versions = 9...24

  let operation = UnaryOperation.areaSine
}
