import GraphIR
import Tensors

/// [Expand](https://onnx.ai/onnx/operators/onnx__Expand.html): the operand repeated to the shape
/// that it and the target broadcast to; a view.
struct Expand: Operator {
  static let key: OpKey = "Expand"
  static let versions = 8...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    let target = try inputs.required(1)
    let rank = target.shape?.first?.value
    let sizes = target.elements ?? rank.map { (0..<$0).map { _ in context.makeSymbol() } }
    if let negative = sizes?.compactMap(\.value).first(where: { $0 < 0 }) {
      throw .badOperands("the target has the size \(negative)")
    }
    guard
      let shape = try Broadcasting.infer(
        [sizes, data.shape], target.elements == nil ? nil : context)
    else {
      return [ValueFact(data.dataType, nil)]
    }
    let elements = try ElementMovement.follow([data], to: shape) { tensors throws(OperatorError) in
      try expand(tensors[0], to: .concrete(shape))
    }
    return [ValueFact(data.dataType, shape, elements: elements)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    guard let target = try inputs.integers(1) else { throw .badOperands("operand 1 is missing") }
    return [.tensor(try expand(data, to: .checked(target)))]
  }

  private func expand(_ data: Tensor, to target: Shape) throws(OperatorError) -> Tensor {
    guard let shape = data.shape.broadcast(with: target), let view = data.broadcast(to: shape)
    else { throw .badOperands("\(data.shape) and the target \(target) do not broadcast") }
    return view
  }
}
