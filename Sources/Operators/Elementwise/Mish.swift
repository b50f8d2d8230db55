import GraphIR
import Kernels

/// [Mish](https://onnx.ai/onnx/operators/onnx__Mish.html): x tanh(log(1 + eˣ)).
struct Mish: PlainUnaryOperator {
  static let key: OpKey = "Mish"
  static let versions = 18...24

  let operation = UnaryOperation.mish
}
