public import GraphIR
public import Tensors

/// An ONNX operator: everything this software knows about it.
///
/// One value of the type stands for one node, its attributes already read and checked. To add an
/// operator write one file with one conforming type, add it to `OperatorTable.standard` and give
/// it a test file of the same name.
public protocol Operator: Sendable {
  /// Domain and type.
  static var key: OpKey { get }

  /// The operator set versions whose meaning is implemented.
  static var versions: ClosedRange<Int> { get }

  /// Reads the attributes; `NodeReader.finish` refuses those that nobody read.
  init(_ node: inout NodeReader) throws(OperatorError)

  /// The facts of the results.
  ///
  /// An absent operand is nil. Unknown parts of an operand stay unknown in the results; what is
  /// known is checked, and a contradiction is an error.
  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact]

  /// Computes the results. Operands have passed `infer` with their actual types.
  ///
  /// A result may be a view of an operand; operands are never written to.
  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue]

  /// Floating-point operations, a multiply-add counting 2; nil when a size is unknown.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int?
}

extension Operator {
  /// Everything but MatMul, Gemm, Conv and attention counts as free.
  public func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? { 0 }
}

/// What flows along an edge while a graph runs.
public indirect enum RuntimeValue: Sendable {
  /// A tensor.
  case tensor(Tensor)
  /// A sequence.
  case sequence([RuntimeValue])
  /// An optional that holds nothing.
  case absent

  /// The tensor, or an error that says what is there instead.
  public func tensor() throws(OperatorError) -> Tensor {
    guard case .tensor(let tensor) = self else {
      throw .badOperands("a tensor was expected, but the value is a sequence or absent")
    }
    return tensor
  }
}

extension Array where Element == RuntimeValue? {
  /// The tensor at a position, or an error that names the position.
  public func tensor(_ position: Int) throws(OperatorError) -> Tensor {
    guard position < count, let value = self[position] else {
      throw .badOperands("operand \(position) is missing")
    }
    return try value.tensor()
  }

  /// The tensor at a position, or nil when the operand is absent.
  public func optionalTensor(_ position: Int) throws(OperatorError) -> Tensor? {
    guard position < count, let value = self[position] else { return nil }
    if case .absent = value { return nil }
    return try value.tensor()
  }

  /// The elements of the sequence at a position, or an error that names the position.
  public func sequence(_ position: Int) throws(OperatorError) -> [RuntimeValue] {
    guard position < count, case .sequence(let elements)? = self[position] else {
      throw .badOperands("operand \(position) is not a sequence")
    }
    return elements
  }

  /// The integers of a small tensor such as `axes`, or nil when the operand is absent.
  public func integers(_ position: Int) throws(OperatorError) -> [Int]? {
    guard let tensor = try optionalTensor(position) else { return nil }
    guard let integers = tensor.integers() else {
      throw .badOperands("operand \(position) is \(tensor.dataType), integers were expected")
    }
    return integers
  }
}

extension Array where Element == ValueFact? {
  /// The fact at a position, or an error that names the position.
  public func required(_ position: Int) throws(OperatorError) -> ValueFact {
    guard position < count, let fact = self[position] else {
      throw .badOperands("operand \(position) is missing")
    }
    return fact
  }

  /// The fact at a position, or nil when the operand is absent.
  public func optional(_ position: Int) -> ValueFact? {
    position < count ? self[position] : nil
  }
}

/// What typing rules may ask of their surroundings.
public protocol InferenceContext {
  /// The facts of a subgraph's outputs; `arguments` are the facts of its formal inputs.
  func infer(
    subgraph attribute: String, arguments: [ValueFact]
  ) throws(OperatorError) -> [ValueFact]

  /// A size that depends on data: a symbol that nothing else has.
  func makeSymbol() -> Dimension

  /// Notes that two sizes meet in an operator that needs them to be equal, or one of them 1, and
  /// returns the one to go on with.
  func assumeEqual(_ a: Dimension, _ b: Dimension) -> Dimension
}

extension InferenceContext {
  /// Notes nothing and goes on with the first.
  public func assumeEqual(_ a: Dimension, _ b: Dimension) -> Dimension { a }
}

/// What running operators may ask of their surroundings.
public protocol RunContext: SubgraphRunner {
  /// Uninitialised memory for a result, row-major.
  func makeTensor(_ dataType: DataType, _ shape: Shape) throws(OperatorError) -> Tensor

  /// Memory for the result of a `PlacedOperator`: a view that the operator said it can write to.
  ///
  /// New memory has the axes in the order `order`, outermost first; nil is row-major.
  func makeResult(
    _ dataType: DataType, _ shape: Shape, order: [Int]?
  ) throws(OperatorError) -> Tensor
}

extension RunContext {
  /// New memory.
  public func makeResult(
    _ dataType: DataType, _ shape: Shape, order: [Int]?
  ) throws(OperatorError) -> Tensor {
    try makeTensor(dataType, shape, order: order)
  }

  /// Uninitialised memory with the axes in an order, outermost first; nil is row-major.
  public func makeTensor(
    _ dataType: DataType, _ shape: Shape, order: [Int]?
  ) throws(OperatorError) -> Tensor {
    guard let order else { return try makeTensor(dataType, shape) }
    var places = order
    for (place, axis) in order.enumerated() { places[axis] = place }
    return try makeTensor(dataType, .checked(order.map { shape[$0] })).transposed(places)
  }

  /// Row-major memory for the result of a `PlacedOperator`, or a view it can write to.
  public func makeResult(_ dataType: DataType, _ shape: Shape) throws(OperatorError) -> Tensor {
    try makeResult(dataType, shape, order: nil)
  }
}

/// Runs the graphs that a node owns; `If` and `Loop` need it.
public protocol SubgraphRunner {
  /// Runs the graph of an attribute and returns its outputs.
  func run(
    subgraph attribute: String, arguments: [RuntimeValue]
  ) throws(OperatorError) -> [RuntimeValue]
}
