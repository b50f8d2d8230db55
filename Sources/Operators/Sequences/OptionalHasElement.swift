import GraphIR
import Tensors

/// [OptionalHasElement](https://onnx.ai/onnx/operators/onnx__OptionalHasElement.html): whether an optional
/// holds something.
struct OptionalHasElement: Operator {
  static let key: OpKey = "OptionalHasElement"
  static let versions = 15...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(0...1)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    [ValueFact(.bool, [])]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    guard let value = inputs.first.flatMap({ $0 }) else { return [.tensor(Tensor(scalar: false))] }
    if case .absent = value { return [.tensor(Tensor(scalar: false))] }
    return [.tensor(Tensor(scalar: true))]
  }
}
