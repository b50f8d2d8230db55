import GraphIR
import Kernels
import Tensors

/// [ReduceL2](https://onnx.ai/onnx/operators/onnx__ReduceL2.html):
/// the square root of the sum of squares along some axes.
///
/// Only for floating-point numbers.
struct ReduceL2: ReductionOperator {
  static let key: OpKey = "ReduceL2"
  static let versions = 7...24
  static let operation = ReductionOperation.sumOfSquares

  let axes: ReducedAxes

  func finish(_ summary: Tensor) throws(KernelError) {
    try Elementwise.unary(.squareRoot, summary, into: summary)
  }
}
