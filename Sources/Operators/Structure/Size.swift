import GraphIR
import Tensors

/// [Size](https://onnx.ai/onnx/operators/onnx__Size.html): the number of elements, an int64 scalar.
struct Size: Operator {
  static let key: OpKey = "Size"
  static let versions = 1...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let shape = try inputs.required(0).shape
    return [ValueFact(.int64, [], elements: shape.map { [$0.product] })]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    [.tensor(Tensor(scalar: Int64(try inputs.tensor(0).elementCount)))]
  }
}
