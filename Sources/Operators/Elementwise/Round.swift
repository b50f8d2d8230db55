import GraphIR
import Kernels

/// [Round](https://onnx.ai/onnx/operators/onnx__Round.html):
/// every element rounded to the nearest integer, ties to even.
struct Round: PlainUnaryOperator {
  static let key: OpKey = "Round"
  static let versions = 11...24

  let operation = UnaryOperation.round
}
