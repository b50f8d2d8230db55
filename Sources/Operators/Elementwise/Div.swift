import GraphIR
import Kernels

/// [Div](https://onnx.ai/onnx/operators/onnx__Div.html):
/// the quotient; integers truncate towards zero.
struct Div: ArithmeticOperator, PlainBinaryOperator {
  static let key: OpKey = "Div"
  static let versions = 7...24

  let operation = BinaryOperation.divide
}
