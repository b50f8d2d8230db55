import GraphIR
import Kernels
import Tensors

/// [LpPool](https://onnx.ai/onnx/operators/onnx__LpPool.html): the `p`-norm of each window.
struct LpPool: PoolingOperator {
  static let key: OpKey = "LpPool"
  static let versions = 2...24

  let window: Window?
  private let power: Float

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    window = try Window(&node)
    power = Float(try node.int("p", default: 2))
    guard power >= 1 else { throw .badOperands("attribute 'p' is \(power)") }
  }

  func pool(
    _ x: Tensor, _ views: [[(elements: [Int], padded: Int)]], _ shape: Shape,
    _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    let exponent = try Tensor.scalar(power, as: x.dataType)
    let root = try Tensor.scalar(1 / power, as: x.dataType)
    let powers = try context.tensor(x.dataType, x.shape) { (output) throws(KernelError) in
      try Elementwise.unary(.absolute, x, into: output)
      try Elementwise.binary(.power, output, exponent, into: output)
    }
    let sums = try slide(.sum, powers, views, context).values
    return try context.tensor(x.dataType, shape) { (output) throws(KernelError) in
      try Elementwise.binary(.power, sums, root, into: output)
    }
  }
}
