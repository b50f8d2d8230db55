import GraphIR
import Tensors

/// [Scatter](https://onnx.ai/onnx/operators/onnx__Scatter.html): the name of `ScatterElements` before
/// operator set 11.
struct Scatter: Operator {
  static let key: OpKey = "Scatter"
  static let versions = 9...24

  private let scatter: ScatterElements

  init(_ node: inout NodeReader) throws(OperatorError) {
    scatter = try ScatterElements(&node)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    try scatter.infer(inputs, context)
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    try scatter.run(inputs, context)
  }
}
