import GraphIR
import Tensors

/// [If](https://onnx.ai/onnx/operators/onnx__If.html): one of two graphs, chosen by a truth value;
/// only the chosen one runs.
///
/// A branch that does not fit its operands is never chosen by a valid model, as a cache's reuse
/// before there is state; the other branch alone then tells the types.
struct If: Operator {
  static let key: OpKey = "If"
  static let versions = 7...24

  private static let branches = (then: "then_branch", otherwise: "else_branch")

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    let then = try node.graph(Self.branches.then)
    let otherwise = try node.graph(Self.branches.otherwise)
    for subgraph in [then, otherwise] {
      guard subgraph.graph.inputs.isEmpty, subgraph.graph.outputs.count == node.outputCount else {
        throw .badOperands(
          "a branch with \(subgraph.graph.inputs.count) inputs and "
            + "\(subgraph.graph.outputs.count) outputs does not fit \(node.outputCount) results")
      }
    }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let condition = try inputs.tensorType(0)
    try ElementTypes.bool.require(condition.dataType, operand: 0)
    if let shape = condition.shape, !shape.allSatisfy({ $0.value == nil || $0.value == 1 }) {
      throw .badOperands("the condition has shape \(shape), one element is expected")
    }
    if let known = inputs.optional(0)?.integers?.first {
      return try context.infer(subgraph: Self.name(known != 0), arguments: [])
    }
    let then: [ValueFact]
    do throws(OperatorError) {
      then = try context.infer(subgraph: Self.branches.then, arguments: [])
    } catch {
      return try context.infer(subgraph: Self.branches.otherwise, arguments: [])
    }
    let otherwise: [ValueFact]
    do throws(OperatorError) {
      otherwise = try context.infer(subgraph: Self.branches.otherwise, arguments: [])
    } catch {
      return then
    }
    var merged: [ValueFact] = []
    for (a, b) in zip(then, otherwise) { merged.append(try Self.merge(a, b, context)) }
    return merged
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    guard let condition = try inputs.integers(0)?.first else {
      throw .badOperands("the condition is empty")
    }
    return try context.run(subgraph: Self.name(condition != 0), arguments: [])
  }

  /// Unknown: the branches are counted where they stand.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? { nil }

  private static func name(_ condition: Bool) -> String {
    condition ? branches.then : branches.otherwise
  }

  /// What holds for a value that is either of two.
  private static func merge(
    _ a: ValueFact, _ b: ValueFact, _ context: any InferenceContext
  ) throws(OperatorError) -> ValueFact {
    guard case .tensor(let first) = a.type, case .tensor(let second) = b.type else {
      return ValueFact(a.type == b.type ? a.type : .unknown)
    }
    if let one = first.dataType, let other = second.dataType, one != other {
      throw .badOperands("the branches yield \(one) and \(other)")
    }
    let dataType = first.dataType ?? second.dataType
    guard let one = first.shape, let other = second.shape, one.count == other.count else {
      return ValueFact(dataType, nil)
    }
    let shape = zip(one, other).map { $0 == $1 ? $0 : context.makeSymbol() }
    return ValueFact(dataType, shape, elements: a.elements == b.elements ? a.elements : nil)
  }
}
