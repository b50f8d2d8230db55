import GraphIR
import Kernels

/// [BitwiseXor](https://onnx.ai/onnx/operators/onnx__BitwiseXor.html): the bits that one operand has.
struct BitwiseXor: BitwiseOperator, PlainBinaryOperator {
  static let key: OpKey = "BitwiseXor"
  static let versions = 18...24

  let operation = BitwiseOperation.xor
}
