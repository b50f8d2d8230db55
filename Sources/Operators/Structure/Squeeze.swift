import GraphIR
import Tensors

/// [Squeeze](https://onnx.ai/onnx/operators/onnx__Squeeze.html): removes axes of size 1, all of
/// them by default; a view.
struct Squeeze: Operator {
  static let key: OpKey = "Squeeze"
  static let versions = 1...24

  private let axes: OperandOrAttribute

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...2)
    axes = try OperandOrAttribute("axes", at: 1, operandSince: 13, &node)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    var result = ValueFact(data.dataType, nil, elements: data.elements)
    guard let shape = data.shape else { return [result] }
    switch axes.fact(inputs) {
    case .unknown: break
    case .known(let axes):
      let removed = try removed(axes, from: shape)
      result = ValueFact(data.dataType, remaining(shape, removed), elements: data.elements)
    case .absent:
      // Whether a symbol is 1 cannot be known.
      guard shape.allSatisfy({ $0.value != nil }) else { break }
      let removed = try removed(nil, from: shape)
      result = ValueFact(data.dataType, remaining(shape, removed), elements: data.elements)
    }
    return [result]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    let removed = try removed(axes.value(inputs), from: [Dimension](data.shape))
    let shape = try Shape.checked(remaining(data.shape.dimensions, removed))
    return [.tensor(try data.reshaped(to: shape, context))]
  }

  private func removed(_ axes: [Int]?, from shape: [Dimension]) throws(OperatorError) -> [Int] {
    guard let axes else { return shape.indices.filter { shape[$0].value == 1 } }
    let removed = try Axes.normalize(axes, rank: shape.count)
    for axis in removed {
      if let size = shape[axis].value, size != 1 {
        throw .badOperands("axis \(axis) of \(shape) has size \(size) and cannot be removed")
      }
    }
    return removed
  }

  private func remaining<Size>(_ shape: [Size], _ removed: [Int]) -> [Size] {
    shape.indices.filter { !removed.contains($0) }.map { shape[$0] }
  }
}
