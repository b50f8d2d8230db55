public import GraphIR
import Kernels
public import Tensors

/// Functions of single elements one after the other, written by a fusion in place of their operators.
///
/// Operands, each `float32`, `float16` or `bfloat16`, broadcast to one another; the result is of the
/// type that `to` says, by default `float32`. `functions` names what each step computes; `reads` are,
/// step by step, the numbers of the values it reads, operands first, then the results of the steps
/// before; `types` are the types that each result is rounded to. See `ElementwiseChain`.
struct FusedElementwise: PlacedOperator {
  static let key = OpKey("FusedElementwise", domain: "ai.ditcache")
  static let versions = 1...1

  private let chain: ElementwiseChain
  private let type: DataType

  init(_ node: inout NodeReader) throws(OperatorError) {
    type = try node.resultType() ?? .float32
    let names = try node.strings("functions") ?? []
    var reads = (try node.ints("reads") ?? [])[...]
    let types = try node.ints("types") ?? []
    guard types.count == names.count else {
      throw .badOperands("\(names.count) functions have \(types.count) types")
    }
    var steps: [ElementwiseChain.Step] = []
    for (name, code) in zip(names, types) {
      guard let function = ElementwiseChain.Function(name) else {
        throw .unsupported("the function '\(name)' is not implemented")
      }
      guard let type = Int32(exactly: code).flatMap(DataType.init(rawValue:)) else {
        throw .badOperands("a step rounds to the element type \(code)")
      }
      steps.append(.init(function, reading: Array(reads.prefix(function.arity)), as: type))
      reads = reads.dropFirst(function.arity)
    }
    guard reads.isEmpty,
      let chain = ElementwiseChain(operandCount: node.inputCount, steps: steps)
    else {
      throw .badOperands("the steps do not read \(node.inputCount) operands and earlier steps")
    }
    self.chain = chain
  }

  var overwritableOperands: [Int] { Array(0..<chain.operandCount) }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    var shapes: [[Dimension]?] = []
    for position in inputs.indices {
      let operand = try inputs.tensorType(position)
      guard operand.dataType?.isFusible != false else {
        throw .badOperands("operand \(position) is \(operand)")
      }
      shapes.append(operand.shape)
    }
    return [ValueFact(type, try Broadcasting.infer(shapes, context))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let (operands, shape) = try Broadcasting.tensors(inputs)
    let result = try context.result(type, shape) { (output) throws(KernelError) in
      try chain.run(operands, into: output)
    }
    return [.tensor(result)]
  }
}

/// One step of `FusedElementwise`.
public struct ElementwiseStep: Hashable, Sendable {
  /// The step that only rounds.
  public static let identity = "identity"

  /// The function, as `ElementwiseFunction` names it.
  public let function: String
  /// The numbers of the values read: operands first, then the results of earlier steps.
  public let reads: [Int]
  /// The type that the result is rounded to.
  public var type: DataType

  /// A step.
  public init(_ function: String, reading reads: [Int], as type: DataType) {
    self.function = function
    self.reads = reads
    self.type = type
  }
}

extension [ElementwiseStep] {
  /// The attributes of a node that computes the steps, with a result of a type.
  public func attributes(to type: DataType) -> [Attribute] {
    [
      Attribute("functions", .strings(map { Array<UInt8>($0.function.utf8) })),
      Attribute("reads", .ints(flatMap(\.reads))),
      Attribute("types", .ints(map { Int($0.type.rawValue) })),
      Attribute("to", .int(Int(type.rawValue))),
    ]
  }
}

extension ElementwiseChain.Function {
  /// The function with a name.
  fileprivate init?(_ name: String) {
    if let operation = UnaryOperation(rawValue: name) {
      self = .unary(operation)
    } else if let operation = BinaryOperation(rawValue: name) {
      self = .binary(operation)
    } else if name == ElementwiseStep.identity {
      self = .identity
    } else {
      return nil
    }
  }
}
