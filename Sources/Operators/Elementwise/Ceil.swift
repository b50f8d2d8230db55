import GraphIR
import Kernels

/// [Ceil](https://onnx.ai/onnx/operators/onnx__Ceil.html): every element rounded up.
struct Ceil: PlainUnaryOperator {
  static let key: OpKey = "Ceil"
  static let versions = 7...24

  let operation = UnaryOperation.ceiling
}
