import GraphIR
import Kernels

/// [Max](https://onnx.ai/onnx/operators/onnx__Max.html):
/// the largest of one or more operands; NaN when one is NaN.
struct Max: ArithmeticOperator, VariadicOperator {
  static let key: OpKey = "Max"
  static let versions = 8...24

  let operation = BinaryOperation.maximum
}
