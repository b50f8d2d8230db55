import GraphIR
import Tensors

/// [SequenceErase](https://onnx.ai/onnx/operators/onnx__SequenceErase.html): a sequence without one of
/// its elements, the last one unless a position is given.
struct SequenceErase: Operator {
  static let key: OpKey = "SequenceErase"
  static let versions = 11...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...2)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    [ValueFact(.sequence(try inputs.elementType(ofSequence: 0)))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    var elements = try inputs.sequence(0)
    let index = try inputs.integers(1)?.first ?? -1
    guard index >= -elements.count, index < elements.count else {
      throw .badOperands("position \(index) is outside a sequence of \(elements.count)")
    }
    elements.remove(at: index < 0 ? index + elements.count : index)
    return [.sequence(elements)]
  }
}
