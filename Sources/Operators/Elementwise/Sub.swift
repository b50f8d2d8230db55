import GraphIR
import Kernels

/// [Sub](https://onnx.ai/onnx/operators/onnx__Sub.html): the difference.
struct Sub: ArithmeticOperator, PlainBinaryOperator {
  static let key: OpKey = "Sub"
  static let versions = 7...24

  let operation = BinaryOperation.subtract
}
