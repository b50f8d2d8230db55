import GraphIR
import Kernels

/// [Mod](https://onnx.ai/onnx/operators/onnx__Mod.html): the remainder, with the sign of the
/// divisor, or of the dividend with `fmod` 1, which floating-point operands require.
struct Mod: ArithmeticOperator {
  static let key: OpKey = "Mod"
  static let versions = 10...24

  let operation: BinaryOperation

  var elementTypes: ElementTypes { operation == .modulo ? .integers : .numbers }

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
    operation = try node.flag("fmod", default: false) ? .remainder : .modulo
  }
}
