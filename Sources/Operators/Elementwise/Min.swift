import GraphIR
import Kernels

/// [Min](https://onnx.ai/onnx/operators/onnx__Min.html):
/// the least of one or more operands; NaN when one is NaN.
struct Min: ArithmeticOperator, VariadicOperator {
  static let key: OpKey = "Min"
  static let versions = 8...24

  let operation = BinaryOperation.minimum
}
