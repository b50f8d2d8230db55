import GraphIR
import Kernels

/// [Atanh](https://onnx.ai/onnx/operators/onnx__Atanh.html): the inverse of the hyperbolic tangent.
struct Atanh: PlainUnaryOperator {
  static let key: OpKey = "Atanh"
  static let versions = 9...24

  let operation = UnaryOperation.areaTangent
}
