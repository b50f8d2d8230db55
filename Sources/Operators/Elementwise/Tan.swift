import GraphIR
import Kernels

/// [Tan](https://onnx.ai/onnx/operators/onnx__Tan.html): the tangent.
struct Tan: PlainUnaryOperator {
  static let key: OpKey = "Tan"
  static let versions = 7...24

  let operation = UnaryOperation.tangent
}
