import GraphIR
import Kernels

/// [Add](https://onnx.ai/onnx/operators/onnx__Add.html): the sum.
struct Add: ArithmeticOperator, PlainBinaryOperator {
  static let key: OpKey = "Add"
  static let versions = 7...24

  let operation = BinaryOperation.add
}
