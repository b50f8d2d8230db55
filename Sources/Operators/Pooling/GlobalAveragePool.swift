import GraphIR
import Kernels
import Tensors

/// [GlobalAveragePool](https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html): the mean of
/// each channel.
struct GlobalAveragePool: PoolingOperator {
  static let key: OpKey = "GlobalAveragePool"
  static let versions = 1...24

  let window: Window? = nil

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
  }

  func pool(
    _ x: Tensor, _ views: [[(elements: [Int], padded: Int)]], _ shape: Shape,
    _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    try context.tensor(x.dataType, shape) { (output) throws(KernelError) in
      try Reduction.reduce(.mean, x, axes: Array(2..<x.rank), into: output)
    }
  }
}
