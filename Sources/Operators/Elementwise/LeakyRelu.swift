import GraphIR
import Kernels
import Tensors

/// [LeakyRelu](https://onnx.ai/onnx/operators/onnx__LeakyRelu.html): x where it is not negative,
/// else `alpha` x.
struct LeakyRelu: Operator {
  static let key: OpKey = "LeakyRelu"
  static let versions = 7...24

  private let alpha: Float

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    alpha = try node.float("alpha", default: 0.01)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.floatingPoint.require(type.dataType, operand: 0)
    return [ValueFact(.tensor(type))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let zero = try Tensor.scalar(0, as: x.dataType)
    let factor = try Tensor.scalar(alpha, as: x.dataType)
    let negative = try context.tensor(x.dataType, x.shape) { (output) throws(KernelError) in
      try Elementwise.binary(.minimum, x, zero, into: output)
      try Elementwise.binary(.multiply, output, factor, into: output)
    }
    let result = try context.tensor(x.dataType, x.shape) { (output) throws(KernelError) in
      try Elementwise.binary(.maximum, x, zero, into: output)
      try Elementwise.binary(.add, output, negative, into: output)
    }
    return [.tensor(result)]
  }
}
