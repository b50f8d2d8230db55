import GraphIR
import Kernels
import Tensors

/// [Not](https://onnx.ai/onnx/operators/onnx__Not.html): the opposite of every truth value.
struct Not: Operator {
  static let key: OpKey = "Not"
  static let versions = 7...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.bool.require(type.dataType, operand: 0)
    return [
      ValueFact(.bool, type.shape, elements: inputs.optional(0)?.elements?.map { 1 - $0 })
    ]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let result = try context.makeTensor(.bool, x.shape)
    Elementwise.not(x, into: result)
    return [.tensor(result)]
  }
}
