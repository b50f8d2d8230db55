import GraphIR
import Kernels

/// [LessOrEqual](https://onnx.ai/onnx/operators/onnx__LessOrEqual.html):
/// whether the first is not above the second; false beside NaN.
struct LessOrEqual: ComparisonOperator {
  static let key: OpKey = "LessOrEqual"
  static let versions = 12...24

  let comparison = Comparison.lessOrEqual
}
