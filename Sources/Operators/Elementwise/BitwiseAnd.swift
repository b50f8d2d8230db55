import GraphIR
import Kernels

/// [BitwiseAnd](https://onnx.ai/onnx/operators/onnx__BitwiseAnd.html): the bits that both operands have.
struct BitwiseAnd: BitwiseOperator, PlainBinaryOperator {
  static let key: OpKey = "BitwiseAnd"
  static let versions = 18...24

  let operation = BitwiseOperation.and
}
