import GraphIR
import Tensors

/// [Flatten](https://onnx.ai/onnx/operators/onnx__Flatten.html): a matrix whose rows are the axes
/// before `axis` and whose columns are the others.
struct Flatten: Operator {
  static let key: OpKey = "Flatten"
  static let versions = 1...24

  private let axis: Int

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    axis = try node.int("axis", default: 1)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    let shape = try data.shape.map { shape throws(OperatorError) in try flattened(shape) }
    return [
      ValueFact(
        data.dataType, shape ?? [context.makeSymbol(), context.makeSymbol()],
        elements: data.elements)
    ]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    let shape = try Shape.concrete(flattened([Dimension](data.shape)))
    return [.tensor(try data.reshaped(to: shape, context))]
  }

  private func flattened(_ shape: [Dimension]) throws(OperatorError) -> [Dimension] {
    guard axis >= -shape.count, axis <= shape.count else {
      throw .badOperands("axis \(axis) is outside a tensor of rank \(shape.count)")
    }
    let border = axis < 0 ? axis + shape.count : axis
    return [Array(shape[..<border]).product, Array(shape[border...]).product]
  }
}
