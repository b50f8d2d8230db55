public import Tensors

/// Functions of single elements one after the other, in one pass over memory.
///
/// Values are numbered: the operands first, then the result of each step; the last is the result of
/// the chain. Operands and output are `float32`, `float16` or `bfloat16`, each of a type of its own.
/// Steps compute in `float32` by the same loops as `Elementwise`, so that every element has the bits
/// that the operators one by one give.
public struct ElementwiseChain: Hashable, Sendable {
  /// What a step computes.
  public enum Function: Hashable, Sendable {
    /// A function of one value.
    case unary(UnaryOperation)
    /// A function of two values.
    case binary(BinaryOperation)
    /// One value as it is: a step that only rounds.
    case identity

    /// How many values a step reads.
    public var arity: Int {
      if case .binary = self { 2 } else { 1 }
    }
  }

  /// One function of values that are there before.
  public struct Step: Hashable, Sendable {
    /// What is computed.
    public let function: Function
    /// The numbers of the values read, in order.
    public let reads: [Int]
    /// The type whose numbers the result is rounded to, to nearest, ties to even.
    public let type: DataType

    /// A step.
    public init(_ function: Function, reading reads: [Int], as type: DataType = .float32) {
      self.function = function
      self.reads = reads
      self.type = type
    }
  }

  /// How many operands there are, at least one.
  public let operandCount: Int

  /// The steps, at least one.
  public let steps: [Step]

  /// A chain; nil when a step reads another number of values than its function takes or one that is
  /// not there yet, or rounds to another type than the three.
  public init?(operandCount: Int, steps: [Step]) {
    guard operandCount > 0, !steps.isEmpty else { return nil }
    for (number, step) in steps.enumerated() {
      guard step.reads.count == step.function.arity, step.type.kernelCode != nil,
        step.reads.allSatisfy({ $0 >= 0 && $0 - number < operandCount })
      else { return nil }
    }
    self.operandCount = operandCount
    self.steps = steps
  }

  /// One step of as many operands as it reads.
  init(_ function: Function, as type: DataType) {
    operandCount = function.arity
    steps = [Step(function, reading: Array(0..<function.arity), as: type)]
  }

  /// Computes the chain for every element of the output.
  ///
  /// Operands are any views that broadcast to the shape of the output, which is contiguous. One may be
  /// the very memory of the output, contiguous and of its type, not overlap it otherwise.
  public func run(_ operands: [Tensor], into output: Tensor) throws(KernelError) {
    precondition(operands.count == operandCount, "\(operands.count) of \(operandCount) operands")
    precondition(output.isContiguous, "an output is contiguous")
    var sources: [Tensor] = []
    for operand in operands {
      _ = try operand.kernelCode(for: "a chain")
      sources.append(operand.elementCount == 1 ? try HalfPrecision.widened(operand) : operand)
    }
    _ = try output.kernelCode(for: "a chain")
    Parallel.forEachPart(of: output.elementCount, operationsPerItem: cost, grain: 64) { range in
      ChainLoop(self, sources, output).run(range)
    }
    withExtendedLifetime((sources, output)) {}
  }

  /// About how many nanoseconds one element takes.
  private var cost: Int {
    steps.reduce(operandCount) { total, step in
      guard case .unary(let operation) = step.function else { return total + 1 }
      let row: UnaryRow<Float, Float> = operation.row()
      return total + row.cost
    }
  }
}
