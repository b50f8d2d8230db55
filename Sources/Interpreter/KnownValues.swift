import GraphIR
import Operators
import Tensors
import TypeInference

/// The values of a graph that are known before anything runs.
struct KnownValues {
  /// A value known before anything runs.
  struct Known {
    /// The value; nil for an initializer of an enclosing graph, which is read when needed.
    var value: RuntimeValue?
    /// True when it depends on initializers only, so that plans of all shapes share it.
    var isShared: Bool
    var origin: Program.Origin?
  }

  private let program: Program
  private let facts: GraphFacts
  private let budget: FoldingBudget
  private var known: [Known?]

  /// What is known to begin with: `captures`, whose values are constants of the enclosing plan, and
  /// initializers.
  init(
    _ program: Program, _ facts: GraphFacts, captures: [ValueID: Known], _ budget: FoldingBudget
  ) {
    self.program = program
    self.facts = facts
    self.budget = budget
    known = [Known?](repeating: nil, count: program.graph.valueCount)
    for (value, constant) in captures { known[Int(value.index)] = constant }
  }

  /// True for what was computed while planning and for constants of the enclosing plan.
  func contains(_ value: ValueID) -> Bool { known[Int(value.index)] != nil }

  /// True for values that plans of all shapes share.
  func isShared(_ value: ValueID) -> Bool {
    known[Int(value.index)]?.isShared ?? program.isConstant(value)
  }

  /// A value, initializers included; nil for what is known only when the plan runs.
  func value(of value: ValueID) throws(OperatorError) -> RuntimeValue? {
    if let known = known[Int(value.index)] {
      if let value = known.value { return value }
      return try known.origin.flatMap { (origin) throws(OperatorError) in
        try origin.program.constant(origin.value).map { .tensor($0) }
      }
    }
    guard program.isConstant(value) else { return nil }
    return try program.constant(value).map { .tensor($0) }
  }

  /// Where a value that is an initializer, of this graph or an enclosing one, is kept.
  func origin(of value: ValueID) -> Program.Origin? {
    guard let known = known[Int(value.index)] else { return program.origin(of: value) }
    return known.origin
  }
}

/// What the plans of a graph and of the graphs inside it may compute while planning.
final class FoldingBudget {
  /// Bytes that folding may still allocate.
  var remaining: Int
  /// Bytes that one result may have, views that repeat elements included.
  let resultByteCount: Int

  init(remaining: Int, resultByteCount: Int) {
    self.remaining = remaining
    self.resultByteCount = resultByteCount
  }
}

// MARK: - Folding

extension KnownValues {
  /// Computes a node now when everything it reads is known and the results are not too large.
  mutating func fold(_ id: NodeID) throws(OperatorError) {
    let node = program.graph[id]
    let results = node.outputs.compactMap { $0 }
    let shared = results.map { program.folded($0) }
    if shared.allSatisfy({ $0 != nil }) {
      for (value, result) in zip(results, shared) {
        known[Int(value.index)] = result.map { Known(value: $0, isShared: true) }
      }
      return
    }
    let operands = node.inputs.compactMap { $0 }
    let areKnown = operands.allSatisfy {
      known[Int($0.index)] != nil || program.isConstant($0)
    }
    let areShared = operands.allSatisfy(isShared)
    let constants = results.map { facts[$0].constant }
    if constants.allSatisfy({ $0 != nil }) {
      for case (let value, .some(let constant)) in zip(results, constants) {
        known[Int(value.index)] = Known(value: .tensor(constant), isShared: areShared)
        if areShared { program.setFolded(.tensor(constant), of: value) }
      }
      return
    }
    guard areKnown, node.subgraphs.isEmpty, let byteCount = resultByteCount(results),
      byteCount <= budget.remaining
    else { return }
    try evaluate(id, isShared: areShared)
  }

  private mutating func evaluate(_ id: NodeID, isShared: Bool) throws(OperatorError) {
    let node = program.graph[id]
    var operands: [RuntimeValue?] = []
    for input in node.inputs {
      guard let input else {
        operands.append(nil)
        continue
      }
      operands.append(try value(of: input))
    }
    let results: [RuntimeValue]
    do throws(OperatorError) {
      results = try program.makeOperator(id, of: program.graph).run(operands, HeapRunContext())
    } catch {
      throw error.at(program.graph.label(of: id), given: operands.map { $0?.typeText })
    }
    let owners = Set(operands.compactMap { $0?.storage })
    for (position, value) in node.outputs.enumerated() where position < results.count {
      guard let value else { continue }
      known[Int(value.index)] = Known(value: results[position], isShared: isShared)
      if isShared { program.setFolded(results[position], of: value) }
      if case .tensor(let tensor) = results[position],
        !owners.contains(ObjectIdentifier(tensor.storage))
      {
        budget.remaining -= tensor.byteCount
      }
    }
  }

  /// Refuses results that no run could hold, before anything is allocated.
  func requireRoom(for id: NodeID) throws(OperatorError) {
    for case .some(let value) in program.graph[id].outputs {
      guard let type = facts[value].type.tensor, type.concreteShape != nil else { continue }
      let byteCount = resultByteCount([value]) ?? .max
      guard byteCount <= budget.resultByteCount else {
        throw OperatorError.tooLarge(byteCount, limit: budget.resultByteCount)
          .at(program.graph.label(of: id))
      }
    }
  }

  private func resultByteCount(_ values: [ValueID]) -> Int? {
    var total = 0
    for value in values {
      guard let type = facts[value].type.tensor, let shape = type.concreteShape,
        let dataType = type.dataType
      else { return nil }
      let (bytes, overflow) = shape.elementCount.multipliedReportingOverflow(
        by: dataType.byteCount)
      let (sum, overflow2) = total.addingReportingOverflow(bytes)
      if overflow || overflow2 { return nil }
      total = sum
    }
    return total
  }
}

extension RuntimeValue {
  /// The identity of a tensor's memory.
  fileprivate var storage: ObjectIdentifier? {
    if case .tensor(let tensor) = self { ObjectIdentifier(tensor.storage) } else { nil }
  }
}
