import GraphIR
import Kernels

/// [Softsign](https://onnx.ai/onnx/operators/onnx__Softsign.html): x / (1 + |x|).
struct Softsign: PlainUnaryOperator {
  static let key: OpKey = "Softsign"
  static let versions = 7...24

  let operation = UnaryOperation.softsign
}
