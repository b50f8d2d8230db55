import GraphIR
import Kernels
import Tensors

/// [ReduceLogSum](https://onnx.ai/onnx/operators/onnx__ReduceLogSum.html): the logarithm of the sum
/// along some axes.
///
/// Only for floating-point numbers.
struct ReduceLogSum: ReductionOperator {
  static let key: OpKey = "ReduceLogSum"
  static let versions = 7...24
  static let operation = ReductionOperation.sum
  static let arithmetic: ElementArithmetic? = nil

  let axes: ReducedAxes

  func finish(_ summary: Tensor) throws(KernelError) {
    try Elementwise.unary(.logarithm, summary, into: summary)
  }
}
