import GraphIR
import Kernels

/// [Sum](https://onnx.ai/onnx/operators/onnx__Sum.html): the sum of one or more operands.
struct Sum: ArithmeticOperator, VariadicOperator {
  static let key: OpKey = "Sum"
  static let versions = 8...24

  let operation = BinaryOperation.add

  var elementTypes: ElementTypes { .floatingPoint }
}
