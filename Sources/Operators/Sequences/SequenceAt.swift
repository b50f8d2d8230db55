import GraphIR

/// [SequenceAt](https://onnx.ai/onnx/operators/onnx__SequenceAt.html): one element of a sequence,
/// not copied.
struct SequenceAt: Operator {
  static let key: OpKey = "SequenceAt"
  static let versions = 11...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    switch try inputs.required(0).type {
    case .sequence(let element): [ValueFact(element)]
    case .unknown: [ValueFact(.unknown)]
    default: throw .badOperands("operand 0 is not a sequence")
    }
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    guard case .sequence(let elements)?? = inputs.first else {
      throw .badOperands("operand 0 is not a sequence")
    }
    guard let index = try inputs.integers(1)?.first else {
      throw .badOperands("operand 1 is missing")
    }
    let position = index < 0 ? index + elements.count : index
    guard elements.indices.contains(position) else {
      throw .badOperands("element \(index) of a sequence of \(elements.count) was asked for")
    }
    return [elements[position]]
  }
}
