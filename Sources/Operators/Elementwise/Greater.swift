import GraphIR
import Kernels

/// [Greater](https://onnx.ai/onnx/operators/onnx__Greater.html):
/// whether the first is above the second; false beside NaN.
struct Greater: ComparisonOperator {
  static let key: OpKey = "Greater"
  static let versions = 7...24

  let comparison = Comparison.greater
}
