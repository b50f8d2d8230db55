import GraphIR
import Tensors

/// [ConstantOfShape](https://onnx.ai/onnx/operators/onnx__ConstantOfShape.html): one element
/// repeated to a shape, by default a float32 zero; a view of that element.
struct ConstantOfShape: Operator {
  static let key: OpKey = "ConstantOfShape"
  static let versions = 9...24

  private let element: Tensor

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    guard let value = try node.tensor("value") else {
      element = Tensor(scalar: Float(0))
      return
    }
    guard value.shape.elementCount == 1 else {
      throw .badOperands("'value' has \(value.shape.elementCount) elements, 1 was expected")
    }
    do {
      let tensor = try value.load()
      element = tensor.view(shape: .scalar, strides: [])
    } catch {
      throw OperatorError("unreadable-constant", "'value' cannot be read: \(error)")
    }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let target = try inputs.required(0)
    let rank = target.shape?.first?.value
    let shape = target.elements ?? rank.map { (0..<$0).map { _ in context.makeSymbol() } }
    let value = ValueFact(constant: element)
    let elements = try ElementMovement.follow([value], to: shape) {
      tensors throws(OperatorError) in
      try expand(tensors[0], to: .concrete(shape ?? []))
    }
    return [ValueFact(element.dataType, shape, elements: elements)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    guard let sizes = try inputs.integers(0) else { throw .badOperands("operand 0 is missing") }
    return [.tensor(try expand(element, to: .checked(sizes)))]
  }

  private func expand(_ element: Tensor, to shape: Shape) throws(OperatorError) -> Tensor {
    guard let view = element.broadcast(to: shape) else {
      throw .badOperands("one element does not fill \(shape)")
    }
    return view
  }
}
