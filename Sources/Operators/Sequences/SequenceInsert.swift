import GraphIR
import Tensors

/// [SequenceInsert](https://onnx.ai/onnx/operators/onnx__SequenceInsert.html): a sequence with one
/// element more, before a position or at the end.
struct SequenceInsert: Operator {
  static let key: OpKey = "SequenceInsert"
  static let versions = 11...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...3)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let element = try inputs.elementType(ofSequence: 0)
    let added = try inputs.tensorType(1)
    if let own = element.tensor?.dataType, let other = added.dataType, own != other {
      throw .badOperands("\(other) elements do not fit a sequence of \(own)")
    }
    guard element != .tensor(added) else { return [ValueFact(.sequence(element))] }
    return [
      ValueFact(.sequence(.tensor(element.tensor?.dataType ?? added.dataType, nil)))
    ]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    var elements = try inputs.sequence(0)
    let index = try inputs.integers(2)?.first ?? elements.count
    guard index >= -elements.count, index <= elements.count else {
      throw .badOperands("position \(index) is outside a sequence of \(elements.count)")
    }
    elements.insert(
      .tensor(try inputs.tensor(1)), at: index < 0 ? index + elements.count : index)
    return [.sequence(elements)]
  }
}
