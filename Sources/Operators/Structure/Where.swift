import GraphIR
import Kernels
import Tensors

/// [Where](https://onnx.ai/onnx/operators/onnx__Where.html): elements of the second operand where
/// the first is true, of the third where it is not.
struct Where: PlacedOperator {
  static let key: OpKey = "Where"
  static let versions = 9...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(3...3)
  }

  var overwritableOperands: [Int] { [1, 2] }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let condition = try inputs.required(0)
    let a = try inputs.required(1)
    let b = try inputs.required(2)
    let shape = try Broadcasting.infer([condition.shape, a.shape, b.shape], context)
    return [
      ValueFact(
        a.dataType ?? b.dataType, shape, elements: try chosen(condition, a, b, to: shape))
    ]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let condition = try inputs.tensor(0)
    let a = try inputs.tensor(1)
    let b = try inputs.tensor(2)
    guard condition.dataType == .bool, a.dataType == b.dataType else {
      throw .badOperands(
        "a choice between \(a.dataType) and \(b.dataType) by \(condition.dataType)")
    }
    guard let shape = condition.shape.broadcast(with: a.shape)?.broadcast(with: b.shape) else {
      throw .badOperands("\(condition.shape), \(a.shape) and \(b.shape) do not broadcast")
    }
    let result = try context.makeResult(a.dataType, shape)
    Elementwise.select(condition, a, b, into: result)
    return [.tensor(result)]
  }

  private func chosen(
    _ condition: ValueFact, _ a: ValueFact, _ b: ValueFact, to shape: [Dimension]?
  ) throws(OperatorError) -> [Dimension]? {
    guard let choices = try repeated(condition, to: shape),
      let a = try repeated(a, to: shape), let b = try repeated(b, to: shape)
    else { return nil }
    var result: [Dimension] = []
    for (choice, (a, b)) in zip(choices, zip(a, b)) {
      guard let choice = choice.value else {
        guard a == b else { return nil }
        result.append(a)
        continue
      }
      result.append(choice == 0 ? b : a)
    }
    return result
  }

  private func repeated(
    _ operand: ValueFact, to shape: [Dimension]?
  ) throws(OperatorError) -> [Dimension]? {
    try ElementMovement.follow([operand], to: shape) { tensors throws(OperatorError) in
      tensors[0].broadcast(to: try .concrete(shape ?? [])) ?? tensors[0]
    }
  }
}
