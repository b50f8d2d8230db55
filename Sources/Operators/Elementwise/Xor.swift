import GraphIR
import Kernels

/// [Xor](https://onnx.ai/onnx/operators/onnx__Xor.html): whether exactly one is true.
struct Xor: LogicalOperator {
  static let key: OpKey = "Xor"
  static let versions = 7...24

  let operation = LogicalOperation.xor
}
