import GraphIR
import Kernels
import Tensors

/// An operator that tells where along one axis the largest or smallest element is.
protocol ExtremePositionOperator: Operator {
  /// Whether the smallest element is looked for.
  static var isSmallest: Bool { get }

  /// The attributes.
  var options: ExtremePositionOptions { get }

  /// The operator with its attributes.
  init(options: ExtremePositionOptions)
}

/// The attributes of `ArgMax` and `ArgMin`.
struct ExtremePositionOptions {
  fileprivate let axis: Int
  fileprivate let keepsAxis: Bool
  fileprivate let takesLast: Bool
}

extension ExtremePositionOperator {
  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    let isNew = node.opset >= 12
    self.init(
      options: ExtremePositionOptions(
        axis: try node.int("axis", default: 0),
        keepsAxis: try node.flag("keepdims", default: true),
        takesLast: isNew ? try node.flag("select_last_index", default: false) : false))
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.numbers.require(type.dataType, operand: 0)
    guard var shape = type.shape else { return [ValueFact(.int64, nil)] }
    let axis = try Axes.normalize(options.axis, rank: shape.count)
    if shape[axis] == 0 { throw .badOperands("axis \(axis) of shape \(shape) is empty") }
    if options.keepsAxis { shape[axis] = 1 } else { shape.remove(at: axis) }
    return [ValueFact(.int64, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let axis = try Axes.normalize(options.axis, rank: x.rank)
    var dimensions = x.shape.dimensions
    if options.keepsAxis { dimensions[axis] = 1 } else { dimensions.remove(at: axis) }
    let result = try context.tensor(.int64, try Shape.checked(dimensions)) {
      output throws(KernelError) in
      try Searching.positionOfExtreme(
        x, axis: axis, isSmallest: Self.isSmallest, takesLast: options.takesLast, into: output)
    }
    return [.tensor(result)]
  }
}
