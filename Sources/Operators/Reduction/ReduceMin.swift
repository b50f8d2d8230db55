import GraphIR
import Kernels

/// [ReduceMin](https://onnx.ai/onnx/operators/onnx__ReduceMin.html):
/// the least element along some axes.
struct ReduceMin: ReductionOperator {
  static let key: OpKey = "ReduceMin"
  static let versions = 7...24
  static let operation = ReductionOperation.minimum

  let axes: ReducedAxes
}
