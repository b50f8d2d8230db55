import GraphIR
import Kernels

/// [GreaterOrEqual](https://onnx.ai/onnx/operators/onnx__GreaterOrEqual.html):
/// whether the first is not below the second; false beside NaN.
struct GreaterOrEqual: ComparisonOperator {
  static let key: OpKey = "GreaterOrEqual"
  static let versions = 12...24

  let comparison = Comparison.greaterOrEqual
}
