import GraphIR
import Kernels

/// [BitwiseOr](https://onnx.ai/onnx/operators/onnx__BitwiseOr.html): the bits that either operand has.
struct BitwiseOr: BitwiseOperator, PlainBinaryOperator {
  static let key: OpKey = "BitwiseOr"
  static let versions = 18...24

  let operation = BitwiseOperation.or
}
