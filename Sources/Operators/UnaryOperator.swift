import GraphIR
import Kernels
import Tensors

/// An operator that applies one function to every element of one tensor and keeps its type.
protocol UnaryOperator: PlacedOperator, ElementwiseOperator {
  /// The element types that ONNX allows.
  var elementTypes: ElementTypes { get }

  /// The function.
  var operation: UnaryOperation { get }

  /// The function of a known size, where sizes are followed through it.
  func apply(_ element: Dimension) -> Dimension?
}

extension UnaryOperator {
  var elementTypes: ElementTypes { .floatingPoint }

  var overwritableOperands: [Int] { [0] }

  func apply(_ element: Dimension) -> Dimension? { nil }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try elementTypes.require(type.dataType, operand: 0)
    let known = inputs.optional(0)?.elements
    let elements = known?.compactMap { apply($0) }
    return [
      ValueFact(
        type.dataType, type.shape, elements: elements?.count == known?.count ? elements : nil)
    ]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let y = try context.result(x.dataType, x.shape) { (output) throws(KernelError) in
      try Elementwise.unary(operation, x, into: output)
    }
    return [.tensor(y)]
  }
}

/// A unary operator without attributes.
protocol PlainUnaryOperator: UnaryOperator {
  /// The operator; it has nothing to remember.
  init()
}

extension PlainUnaryOperator {
  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    self.init()
  }
}
