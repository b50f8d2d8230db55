import GraphIR
import Kernels

/// [Less](https://onnx.ai/onnx/operators/onnx__Less.html):
/// whether the first is below the second; false beside NaN.
struct Less: ComparisonOperator {
  static let key: OpKey = "Less"
  static let versions = 7...24

  let comparison = Comparison.less
}
