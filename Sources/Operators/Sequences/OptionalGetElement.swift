import GraphIR
import Tensors

/// [OptionalGetElement](https://onnx.ai/onnx/operators/onnx__OptionalGetElement.html): what an optional
/// holds; nothing at all is an error.
struct OptionalGetElement: Operator {
  static let key: OpKey = "OptionalGetElement"
  static let versions = 15...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let fact = try inputs.required(0)
    guard case .optional(let held) = fact.type else { return [fact] }
    return [ValueFact(held)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    guard let value = inputs.first.flatMap({ $0 }) else {
      throw .badOperands("operand 0 is missing")
    }
    if case .absent = value { throw .badOperands("the optional holds nothing") }
    return [value]
  }
}
