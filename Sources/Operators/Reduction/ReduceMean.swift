import GraphIR
import Kernels

/// [ReduceMean](https://onnx.ai/onnx/operators/onnx__ReduceMean.html): the mean along some axes.
struct ReduceMean: ReductionOperator {
  static let key: OpKey = "ReduceMean"
  static let versions = 7...24
  static let operation = ReductionOperation.mean

  let axes: ReducedAxes
}
