import GraphIR
import Kernels

/// [ReduceProd](https://onnx.ai/onnx/operators/onnx__ReduceProd.html): the product along some axes.
struct ReduceProd: ReductionOperator {
  static let key: OpKey = "ReduceProd"
  static let versions = 7...24
  static let operation = ReductionOperation.product

  let axes: ReducedAxes
}
