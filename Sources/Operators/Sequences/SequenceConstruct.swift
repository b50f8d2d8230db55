import GraphIR
import Tensors

/// [SequenceConstruct](https://onnx.ai/onnx/operators/onnx__SequenceConstruct.html): the operands as a sequence.
struct SequenceConstruct: Operator {
  static let key: OpKey = "SequenceConstruct"
  static let versions = 11...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    guard node.inputCount > 0 else { throw .badOperands("at least one operand is expected") }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let dataType = try inputs.sharedDataType(.numbersOrBool, of: inputs.indices)
    var element = ValueType.tensor(try inputs.tensorType(0))
    for position in inputs.indices where .tensor(try inputs.tensorType(position)) != element {
      element = .tensor(dataType, nil)
    }
    return [ValueFact(.sequence(element))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    var elements: [RuntimeValue] = []
    for position in inputs.indices { elements.append(.tensor(try inputs.tensor(position))) }
    return [.sequence(elements)]
  }
}
