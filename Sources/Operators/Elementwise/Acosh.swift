import GraphIR
import Kernels

/// [Acosh](https://onnx.ai/onnx/operators/onnx__Acosh.html): the inverse of the hyperbolic cosine.
struct Acosh: PlainUnaryOperator {
  static let key: OpKey = "Acosh"
  static let versions = 9...24

  let operation = UnaryOperation.areaCosine
}
