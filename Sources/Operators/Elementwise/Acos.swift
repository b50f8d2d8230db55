import GraphIR
import Kernels

/// [Acos](https://onnx.ai/onnx/operators/onnx__Acos.html): the arc cosine.
struct Acos: PlainUnaryOperator {
  static let key: OpKey = "Acos"
  static let versions = 7...24

  let operation = UnaryOperation.arcCosine
}
