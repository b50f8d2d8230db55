import GraphIR
import Tensors

/// [SequenceLength](https://onnx.ai/onnx/operators/onnx__SequenceLength.html): the number of elements.
struct SequenceLength: Operator {
  static let key: OpKey = "SequenceLength"
  static let versions = 11...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    _ = try inputs.elementType(ofSequence: 0)
    return [ValueFact(.int64, [])]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    [.tensor(Tensor(scalar: Int64(try inputs.sequence(0).count)))]
  }
}
