import GraphIR
import Kernels

/// [ReduceSumSquare](https://onnx.ai/onnx/operators/onnx__ReduceSumSquare.html):
/// the sum of squares along some axes.
struct ReduceSumSquare: ReductionOperator {
  static let key: OpKey = "ReduceSumSquare"
  static let versions = 7...24
  static let operation = ReductionOperation.sumOfSquares

  let axes: ReducedAxes
}
