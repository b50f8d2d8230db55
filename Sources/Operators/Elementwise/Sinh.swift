import GraphIR
import Kernels

/// [Sinh](https://onnx.ai/onnx/operators/onnx__Sinh.html): the hyperbolic sine.
struct Sinh: PlainUnaryOperator {
  static let key: OpKey = "Sinh"
  static let versions = 9...24

  let operation = UnaryOperation.hyperbolicSine
}
