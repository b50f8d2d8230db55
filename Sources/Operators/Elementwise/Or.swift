import GraphIR
import Kernels

/// [Or](https://onnx.ai/onnx/operators/onnx__Or.html): whether one is true.
struct Or: LogicalOperator {
  static let key: OpKey = "Or"
  static let versions = 7...24

  let operation = LogicalOperation.or
}
