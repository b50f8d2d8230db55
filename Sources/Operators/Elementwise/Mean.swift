import GraphIR
import Kernels
import Tensors

/// [Mean](https://onnx.ai/onnx/operators/onnx__Mean.html): the mean of one or more operands.
struct Mean: Operator {
  static let key: OpKey = "Mean"
  static let versions = 8...24

  private let sum: Sum

  init(_ node: inout NodeReader) throws(OperatorError) {
    sum = try Sum(&node)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    try sum.infer(inputs, context)
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    guard let total = try sum.run(inputs, context).first?.tensor() else { return [] }
    let count = try Tensor.scalar(Float(inputs.count), as: total.dataType)
    let result = try context.tensor(total.dataType, total.shape) { (output) throws(KernelError) in
      try Elementwise.binary(.divide, total, count, into: output)
    }
    return [.tensor(result)]
  }
}
