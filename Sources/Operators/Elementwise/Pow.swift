import GraphIR
import Kernels
import Tensors

/// [Pow](https://onnx.ai/onnx/operators/onnx__Pow.html): the first operand raised to the second.
///
/// From opset 12 on the exponent may have another numeric type; the result has that of the base.
struct Pow: Operator {
  static let key: OpKey = "Pow"
  static let versions = 7...24

  private let mixesTypes: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
    mixesTypes = node.opset >= 12
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let base = try inputs.tensorType(0)
    let exponent = try inputs.tensorType(1)
    if mixesTypes {
      try ElementTypes.numbers.require(base.dataType, operand: 0)
      try ElementTypes.numbers.require(exponent.dataType, operand: 1)
    } else {
      _ = try inputs.sharedDataType(.numbers, of: 0...1)
    }
    return [
      ValueFact(base.dataType, try Broadcasting.infer([base.shape, exponent.shape], context))
    ]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let (base, exponent) = (try inputs.tensor(0), try inputs.tensor(1))
    guard let shape = base.shape.broadcast(with: exponent.shape) else {
      throw .badOperands("shapes \(base.shape) and \(exponent.shape) do not broadcast")
    }
    let result = try context.tensor(base.dataType, shape) { (output) throws(KernelError) in
      try Elementwise.power(base, exponent, into: output)
    }
    return [.tensor(result)]
  }
}
