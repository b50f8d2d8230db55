import GraphIR
import Kernels

/// [And](https://onnx.ai/onnx/operators/onnx__And.html): whether both are true.
struct And: LogicalOperator {
  static let key: OpKey = "And"
  static let versions = 7...24

  let operation = LogicalOperation.and
}
