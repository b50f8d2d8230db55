import GraphIR
import Kernels

/// [ReduceMax](https://onnx.ai/onnx/operators/onnx__ReduceMax.html):
/// the largest element along some axes.
struct ReduceMax: ReductionOperator {
  static let key: OpKey = "ReduceMax"
  static let versions = 7...24
  static let operation = ReductionOperation.maximum

  let axes: ReducedAxes
}
