import GraphIR
import Tensors

/// [Optional](https://onnx.ai/onnx/operators/onnx__Optional.html): the operand, or nothing, as a
/// value that may be absent.
struct OptionalOperator: Operator {
  static let key: OpKey = "Optional"
  static let versions = 15...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(0...1)
    node.skip("type")
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    [ValueFact(.optional(inputs.optional(0)?.type ?? .unknown))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    [inputs.first.flatMap { $0 } ?? .absent]
  }
}
