import GraphIR
import Kernels

/// [Mul](https://onnx.ai/onnx/operators/onnx__Mul.html): the product.
struct Mul: ArithmeticOperator, PlainBinaryOperator {
  static let key: OpKey = "Mul"
  static let versions = 7...24

  let operation = BinaryOperation.multiply
}
