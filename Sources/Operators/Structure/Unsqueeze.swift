import GraphIR
import Tensors

/// [Unsqueeze](https://onnx.ai/onnx/operators/onnx__Unsqueeze.html): adds axes of size 1, counted
/// in the result; a view.
struct Unsqueeze: Operator {
  static let key: OpKey = "Unsqueeze"
  static let versions = 1...24

  private let axes: OperandOrAttribute

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...2)
    axes = try OperandOrAttribute("axes", at: 1, operandSince: 13, &node)
    guard axes.isPresent else { throw .badOperands("'axes' is missing") }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    guard let shape = data.shape, case .known(let axes) = axes.fact(inputs) else {
      return [ValueFact(data.dataType, nil, elements: data.elements)]
    }
    return [ValueFact(data.dataType, try widened(shape, axes, 1), elements: data.elements)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    guard let axes = try axes.value(inputs) else { throw .badOperands("'axes' is missing") }
    let shape = try Shape.checked(widened(data.shape.dimensions, axes, 1))
    return [.tensor(try data.reshaped(to: shape, context))]
  }

  private func widened<Size>(
    _ shape: [Size], _ axes: [Int], _ one: Size
  ) throws(OperatorError) -> [Size] {
    var result = shape
    for axis in try Axes.normalize(axes, rank: shape.count + axes.count).sorted() {
      result.insert(one, at: axis)
    }
    return result
  }
}
