import GraphIR
import Kernels

/// [Atan](https://onnx.ai/onnx/operators/onnx__Atan.html): the arc tangent.
struct Atan: PlainUnaryOperator {
  static let key: OpKey = "Atan"
  static let versions = 7...24

  let operation = UnaryOperation.arcTangent
}
