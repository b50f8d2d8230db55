import GraphIR

/// [Identity](https://onnx.ai/onnx/operators/onnx__Identity.html): the operand itself, not copied.
struct Identity: Operator {
  static let key: OpKey = "Identity"
  static let versions = 1...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    [try inputs.required(0)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    guard let value = inputs.first, let value else { throw .badOperands("operand 0 is missing") }
    return [value]
  }
}
