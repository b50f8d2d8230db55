import GraphIR
import Kernels
import Tensors

/// [GlobalMaxPool](https://onnx.ai/onnx/operators/onnx__GlobalMaxPool.html): the largest element of
/// each channel.
struct GlobalMaxPool: PoolingOperator {
  static let key: OpKey = "GlobalMaxPool"
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
      try Reduction.reduce(.maximum, x, axes: Array(2..<x.rank), into: output)
    }
  }
}
