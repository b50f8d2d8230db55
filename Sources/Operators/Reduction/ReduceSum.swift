import GraphIR
import Kernels

/// [ReduceSum](https://onnx.ai/onnx/operators/onnx__ReduceSum.html): the sum along some axes.
struct ReduceSum: ReductionOperator {
  static let key: OpKey = "ReduceSum"
  static let versions = 7...24
  static let axesOperandSince = 13
  static let operation = ReductionOperation.sum

  let axes: ReducedAxes
}
