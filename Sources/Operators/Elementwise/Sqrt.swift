import GraphIR
import Kernels

/// [Sqrt](https://onnx.ai/onnx/operators/onnx__Sqrt.html):
/// the square root of every element; NaN for negative ones.
struct Sqrt: PlainUnaryOperator {
  static let key: OpKey = "Sqrt"
  static let versions = 7...24

  let operation = UnaryOperation.squareRoot
}
