import GraphIR
import Kernels

/// [ReduceL1](https://onnx.ai/onnx/operators/onnx__ReduceL1.html):
/// the sum of magnitudes along some axes.
struct ReduceL1: ReductionOperator {
  static let key: OpKey = "ReduceL1"
  static let versions = 7...24
  static let operation = ReductionOperation.sumOfMagnitudes

  let axes: ReducedAxes
}
