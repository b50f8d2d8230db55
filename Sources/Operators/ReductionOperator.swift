import GraphIR
import Kernels
import Tensors

/// An operator that summarises a tensor along some axes.
///
/// Axes are an attribute in older operator sets and an optional operand in newer ones.
protocol ReductionOperator: Operator {
  /// The first operator set in which the axes are an operand.
  static var axesOperandSince: Int { get }

  /// The summary.
  static var operation: ReductionOperation { get }

  /// How sizes are followed through a reduction of a list; nil when they are not.
  static var arithmetic: ElementArithmetic? { get }

  /// Which axes go, and what remains of them.
  var axes: ReducedAxes { get }

  /// The operator with its attributes.
  init(axes: ReducedAxes)

  /// What is done to the summary, in place.
  func finish(_ summary: Tensor) throws(KernelError)
}

extension ReductionOperator {
  static var axesOperandSince: Int { 18 }

  static var arithmetic: ElementArithmetic? {
    switch operation {
    case .sum: .add
    case .product: .multiply
    case .maximum: .maximum
    case .minimum: .minimum
    case .mean, .sumOfSquares, .sumOfMagnitudes: nil
    }
  }

  init(_ node: inout NodeReader) throws(OperatorError) {
    self.init(axes: try ReducedAxes(&node, operandSince: Self.axesOperandSince))
  }

  func finish(_ summary: Tensor) throws(KernelError) {}

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.numbersOrBool.require(type.dataType, operand: 0)
    guard let shape = type.shape else { return [ValueFact(type.dataType, nil)] }
    let operand = inputs.optional(1)
    guard operand == nil || operand?.integers != nil else {
      return [ValueFact(type.dataType, axes.shape(ofUnknownAxesIn: shape, context))]
    }
    let reduced = try axes.resolve(operand?.integers, rank: shape.count)
    var elements: [Dimension]?
    if reduced == [0], shape.count == 1, let arithmetic = Self.arithmetic,
      let known = inputs.optional(0)?.elements, let first = known.first
    {
      var total: Dimension? = first
      for element in known.dropFirst() { total = total.flatMap { arithmetic.apply($0, element) } }
      elements = total.map { [$0] }
    }
    return [ValueFact(type.dataType, axes.shape(of: shape, reduced), elements: elements)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let reduced = try axes.resolve(try inputs.integers(1), rank: x.rank)
    let shape = try Shape.checked(axes.shape(of: x.shape.dimensions, reduced))
    let result = try context.tensor(x.dataType, shape) { (output) throws(KernelError) in
      try Reduction.reduce(Self.operation, x, axes: reduced, into: output)
      try finish(output)
    }
    return [.tensor(result)]
  }
}

/// The attributes that all reductions share.
struct ReducedAxes {
  private let attribute: [Int]?
  private let keepsAxes: Bool
  private let isIdentityWithoutAxes: Bool

  /// Reads `axes`, `keepdims` and `noop_with_empty_axes`.
  init(_ node: inout NodeReader, operandSince: Int) throws(OperatorError) {
    let takesOperand = node.opset >= operandSince
    try node.requireInputs(1...(takesOperand ? 2 : 1))
    attribute = takesOperand ? nil : try node.ints("axes")
    keepsAxes = try node.flag("keepdims", default: true)
    isIdentityWithoutAxes =
      takesOperand ? try node.flag("noop_with_empty_axes", default: false) : false
  }

  /// The axes to reduce, counted from the front and in order.
  ///
  /// No axes at all mean all of them, or none when the node says so.
  func resolve(_ operand: [Int]?, rank: Int) throws(OperatorError) -> [Int] {
    let axes = operand ?? attribute ?? []
    if axes.isEmpty { return isIdentityWithoutAxes ? [] : Array(0..<rank) }
    return try Axes.normalize(axes, rank: rank).sorted()
  }

  /// What remains of a shape.
  func shape<Size: ExpressibleByIntegerLiteral>(of shape: [Size], _ axes: [Int]) -> [Size] {
    if keepsAxes { return shape.enumerated().map { axes.contains($0.offset) ? 1 : $0.element } }
    return shape.enumerated().filter { !axes.contains($0.offset) }.map(\.element)
  }

  /// The same while the axes are not known: the rank at least, if axes are kept.
  func shape(
    ofUnknownAxesIn shape: [Dimension], _ context: any InferenceContext
  ) -> [Dimension]? {
    keepsAxes ? shape.map { $0.value == 1 ? 1 : context.makeSymbol() } : nil
  }
}
