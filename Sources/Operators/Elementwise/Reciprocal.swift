import GraphIR
import Kernels

/// [Reciprocal](https://onnx.ai/onnx/operators/onnx__Reciprocal.html): one over every element.
struct Reciprocal: PlainUnaryOperator {
  static let key: OpKey = "Reciprocal"
  static let versions = 7...24

  let operation = UnaryOperation.reciprocal
}
