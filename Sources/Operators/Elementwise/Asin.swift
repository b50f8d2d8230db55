import GraphIR
import Kernels

/// [Asin](https://onnx.ai/onnx/operators/onnx__Asin.html): the arc sine.
struct Asin: PlainUnaryOperator {
  static let key: OpKey = "Asin"
  static let versions = 7...24

  let operation = UnaryOperation.arcSine
}
