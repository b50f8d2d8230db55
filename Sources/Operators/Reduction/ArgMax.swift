import GraphIR
import Kernels
import Tensors

/// [ArgMax](https://onnx.ai/onnx/operators/onnx__ArgMax.html): where along one axis the largest
/// element is.
struct ArgMax: Operator {
  static let key: OpKey = "ArgMax"
  static let versions = 7...24

  private let axis: Int
  private let keepsAxis: Bool
  private let takesLast: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    axis = try node.int("axis", default: 0)
    keepsAxis = try node.flag("keepdims", default: true)
    takesLast = try node.flag("select_last_index", default: false)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.numbers.require(type.dataType, operand: 0)
    guard var shape = type.shape else { return [ValueFact(.int64, nil)] }
    let axis = try Axes.normalize(axis, rank: shape.count)
    if shape[axis] == 0 { throw .badOperands("axis \(axis) of shape \(shape) is empty") }
    if keepsAxis { shape[axis] = 1 } else { shape.remove(at: axis) }
    return [ValueFact(.int64, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let axis = try Axes.normalize(axis, rank: x.rank)
    var dimensions = x.shape.dimensions
    if keepsAxis { dimensions[axis] = 1 } else { dimensions.remove(at: axis) }
    let result = try context.tensor(.int64, try Shape.checked(dimensions)) {
      output throws(KernelError) in
      try Searching.positionOfLargest(x, axis: axis, takesLast: takesLast, into: output)
    }
    return [.tensor(result)]
  }
}
