import GraphIR
import Kernels
import Tensors

/// [AveragePool](https://onnx.ai/onnx/operators/onnx__AveragePool.html): the mean of each window,
/// without the pads or, with `count_include_pad`, as if they held zeros.
struct AveragePool: PoolingOperator {
  static let key: OpKey = "AveragePool"
  static let versions = 7...24

  let window: Window?
  private let includesPads: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    window = try Window(&node)
    includesPads = try node.flag("count_include_pad", default: false)
  }

  func pool(
    _ x: Tensor, _ views: [[(elements: [Int], padded: Int)]], _ shape: Shape,
    _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    let sums = try slide(.sum, x, views, context).values
    let counts = try counts(views, includesPads: includesPads, x.dataType)
    return try context.tensor(x.dataType, shape) { (output) throws(KernelError) in
      try Elementwise.binary(.divide, sums, counts, into: output)
    }
  }
}
