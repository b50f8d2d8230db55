import GraphIR
import Kernels

/// [Exp](https://onnx.ai/onnx/operators/onnx__Exp.html): e raised to every element.
struct Exp: PlainUnaryOperator {
  static let key: OpKey = "Exp"
  static let versions = 7...24

  let operation = UnaryOperation.exponential
}
