import GraphIR
import Kernels
import Tensors

/// [PRelu](https://onnx.ai/onnx/operators/onnx__PRelu.html): x where it is not negative, else slope
/// x, where the slope broadcasts to x.
struct PRelu: Operator {
  static let key: OpKey = "PRelu"
  static let versions = 7...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let dataType = try inputs.sharedDataType(.numbers, of: 0...1)
    let (x, slope) = (try inputs.tensorType(0).shape, try inputs.tensorType(1).shape)
    if let joined = try Broadcasting.infer([x, slope]), let x, joined.count != x.count {
      throw .badOperands("a slope of more than \(x.count) axes does not broadcast to \(x)")
    }
    return [ValueFact(dataType, x)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let (x, slope) = (try inputs.tensor(0), try inputs.tensor(1))
    guard slope.broadcast(to: x.shape) != nil else {
      throw .badOperands("a slope of shape \(slope.shape) does not broadcast to \(x.shape)")
    }
    let zero = try Tensor.scalar(0, as: x.dataType)
    let isNegative = try context.tensor(.bool, x.shape) { (output) throws(KernelError) in
      try Elementwise.compare(.less, x, zero, into: output)
    }
    let result = try context.tensor(x.dataType, x.shape) { (output) throws(KernelError) in
      try Elementwise.binary(.multiply, x, slope, into: output)
      Elementwise.select(isNegative, output, x, into: output)
    }
    return [.tensor(result)]
  }
}
