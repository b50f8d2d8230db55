import GraphIR
import Kernels
import Tensors

/// [BitwiseNot](https://onnx.ai/onnx/operators/onnx__BitwiseNot.html): the opposite of every bit.
struct BitwiseNot: Operator {
  static let key: OpKey = "BitwiseNot"
  static let versions = 18...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.integers.require(type.dataType, operand: 0)
    return [ValueFact(.tensor(type))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let ones = try OperatorError.translating { () throws(KernelError) in
      try Casting.cast(Tensor(scalar: Int64(-1)), to: x.dataType)
    }
    let result = try context.tensor(x.dataType, x.shape) { (output) throws(KernelError) in
      try Elementwise.bitwise(.xor, x, ones, into: output)
    }
    return [.tensor(result)]
  }
}
