import GraphIR
import Kernels

/// [Cosh](https://onnx.ai/onnx/operators/onnx__Cosh.html): the hyperbolic cosine.
struct Cosh: PlainUnaryOperator {
  static let key: OpKey = "Cosh"
  static let versions = 9...24

  let operation = UnaryOperation.hyperbolicCosine
}
