import GraphIR
import Tensors

/// [ConcatFromSequence](https://onnx.ai/onnx/operators/onnx__ConcatFromSequence.html): the elements of a
/// sequence one after another along an axis, or along a new one.
struct ConcatFromSequence: Operator {
  static let key: OpKey = "ConcatFromSequence"
  static let versions = 11...24

  private let axis: Int
  private let addsAxis: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    guard let axis = try node.int("axis") else { throw .badOperands("'axis' is missing") }
    self.axis = axis
    addsAxis = try node.flag("new_axis", default: false)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let element = try inputs.elementType(ofSequence: 0).tensor
    guard var shape = element?.shape else { return [ValueFact(element?.dataType, nil)] }
    let axis = try Axes.normalize(axis, rank: shape.count + (addsAxis ? 1 : 0))
    if addsAxis {
      shape.insert(context.makeSymbol(), at: axis)
    } else {
      shape[axis] = context.makeSymbol()
    }
    return [ValueFact(element?.dataType, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    var parts: [Tensor] = []
    for element in try inputs.sequence(0) { parts.append(try element.tensor()) }
    guard !parts.isEmpty else { throw .badOperands("the sequence is empty") }
    if addsAxis {
      return [.tensor(try Stacking.stack(parts, like: .unknown, axis: axis, context))]
    }
    return [.tensor(try Stacking.join(parts, axis: axis, context))]
  }
}
