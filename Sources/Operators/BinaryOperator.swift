import GraphIR
import Kernels
import Tensors

/// An operator that combines the elements of tensors that broadcast to one another.
protocol BroadcastingOperator: PlacedOperator {
  /// The element types that ONNX allows.
  var elementTypes: ElementTypes { get }

  /// How sizes are followed through the operator; nil when they are not.
  var arithmetic: ElementArithmetic? { get }

  /// The element type of the result of operands of one type.
  func resultType(_ operands: DataType?) -> DataType?

  /// Combines two tensors of one type; the output has the shape both broadcast to.
  func combine(_ a: Tensor, _ b: Tensor, into output: Tensor) throws(KernelError)
}

extension BroadcastingOperator {
  var elementTypes: ElementTypes { .numbers }

  /// Operands behind the second are read after the result is begun.
  var overwritableOperands: [Int] { [0, 1] }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let operands = try inputs.sharedDataType(elementTypes, of: inputs.indices)
    var shapes: [[Dimension]?] = []
    for position in inputs.indices { shapes.append(try inputs.tensorType(position).shape) }
    let dataType = resultType(operands)
    return [
      ValueFact(
        dataType, try Broadcasting.infer(shapes, context),
        elements: arithmetic?.elements(inputs)?.fitting(dataType))
    ]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let (operands, shape) = try Broadcasting.tensors(inputs)
    guard operands.count > 1 else { return [.tensor(operands[0])] }
    var total = operands[0]
    let result = try context.makeResult(resultType(total.dataType) ?? total.dataType, shape)
    for operand in operands.dropFirst() {
      try OperatorError.translating { () throws(KernelError) in
        try combine(total, operand, into: result)
      }
      total = result
    }
    return [.tensor(result)]
  }
}

extension [Dimension] {
  /// The elements, or nil when a known one does not fit the type and would wrap around.
  fileprivate func fitting(_ dataType: DataType?) -> [Dimension]? {
    let range: ClosedRange<Int>
    switch dataType {
    case .int64: return self
    case .int32: range = Int(Int32.min)...Int(Int32.max)
    case .int16: range = Int(Int16.min)...Int(Int16.max)
    case .int8: range = Int(Int8.min)...Int(Int8.max)
    case .uint64: range = 0...Int.max
    case .uint32: range = 0...Int(UInt32.max)
    case .uint16: range = 0...Int(UInt16.max)
    case .uint8: range = 0...Int(UInt8.max)
    case .bool: range = 0...1
    default: return nil
    }
    return allSatisfy { $0.value.map(range.contains) ?? true } ? self : nil
  }
}

/// Arithmetic on numbers: the result has the type of the operands.
protocol ArithmeticOperator: BroadcastingOperator, ElementwiseOperator {
  /// The function.
  var operation: BinaryOperation { get }
}

extension ArithmeticOperator {
  var arithmetic: ElementArithmetic? {
    switch operation {
    case .add: .add
    case .subtract: .subtract
    case .multiply: .multiply
    case .divide: .divide
    case .modulo: .modulo
    case .remainder: .remainder
    case .minimum: .minimum
    case .maximum: .maximum
    case .power: nil
    }
  }

  func resultType(_ operands: DataType?) -> DataType? { operands }

  func combine(_ a: Tensor, _ b: Tensor, into output: Tensor) throws(KernelError) {
    try Elementwise.binary(operation, a, b, into: output)
  }
}

/// A comparison: the result is `bool`.
protocol ComparisonOperator: BroadcastingOperator, PlainBinaryOperator {
  /// The comparison.
  var comparison: Comparison { get }
}

extension ComparisonOperator {
  var arithmetic: ElementArithmetic? {
    switch comparison {
    case .equal: .equal
    case .less: .less
    case .lessOrEqual: .lessOrEqual
    case .greater: .greater
    case .greaterOrEqual: .greaterOrEqual
    }
  }

  func resultType(_ operands: DataType?) -> DataType? { .bool }

  func combine(_ a: Tensor, _ b: Tensor, into output: Tensor) throws(KernelError) {
    try Elementwise.compare(comparison, a, b, into: output)
  }
}

/// A function of two truth values.
protocol LogicalOperator: BroadcastingOperator, PlainBinaryOperator {
  /// The function.
  var operation: LogicalOperation { get }
}

extension LogicalOperator {
  var elementTypes: ElementTypes { .bool }

  var arithmetic: ElementArithmetic? {
    switch operation {
    case .and: .and
    case .or: .or
    case .xor: nil
    }
  }

  func resultType(_ operands: DataType?) -> DataType? { .bool }

  func combine(_ a: Tensor, _ b: Tensor, into output: Tensor) throws(KernelError) {
    Elementwise.logical(operation, a, b, into: output)
  }
}

/// A function of the bits of two integers.
protocol BitwiseOperator: BroadcastingOperator {
  /// The function.
  var operation: BitwiseOperation { get }
}

extension BitwiseOperator {
  var elementTypes: ElementTypes { .integers }

  var arithmetic: ElementArithmetic? { nil }

  func resultType(_ operands: DataType?) -> DataType? { operands }

  func combine(_ a: Tensor, _ b: Tensor, into output: Tensor) throws(KernelError) {
    try Elementwise.bitwise(operation, a, b, into: output)
  }
}

/// An operator of two operands without attributes.
protocol PlainBinaryOperator: Operator {
  /// The operator; it has nothing to remember.
  init()
}

extension PlainBinaryOperator {
  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
    self.init()
  }
}

/// An operator of any number of operands, at least one, without attributes.
protocol VariadicOperator: Operator {
  /// The operator; it has nothing to remember.
  init()
}

extension VariadicOperator {
  init(_ node: inout NodeReader) throws(OperatorError) {
    guard node.inputCount > 0 else { throw .badOperands("at least one operand is expected") }
    self.init()
  }
}
