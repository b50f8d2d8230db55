import GraphIR
import Operators
import Rewrite
import Tensors
import TypeInference

/// Turns a program and the facts of its values into a plan.
struct PlanCompiler {
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
  private let settings: Settings
  private var known: [Known?]
  private var slots: [Int32]
  private var slotCount: Int32 = 0
  private var constants: [RuntimeValue] = []
  private var constantPositions: [ValueID: Int] = [:]
  private var preparedConstants: [ValueID: [String: Operand]] = [:]
  private var statistics = PlanStatistics()

  /// What the compilers of a graph and of the graphs inside it have in common.
  final class Settings {
    let checksResultTypes: Bool
    /// Bytes that folding may still allocate.
    var foldingBudget: Int
    /// Bytes that one result may have, views that repeat elements included.
    let resultByteCount: Int
    /// What was fused before.
    let fusions: [PassReport]
    /// The initializers that a plan reads as they are.
    var readConstants: Set<Program.Origin> = []

    init(
      checksResultTypes: Bool, foldingBudget: Int, resultByteCount: Int, fusions: [PassReport]
    ) {
      self.fusions = fusions
      self.checksResultTypes = checksResultTypes
      self.foldingBudget = foldingBudget
      self.resultByteCount = resultByteCount
    }
  }

  /// A plan; `known` are captures whose values are constants of the enclosing plan.
  static func plan(
    _ program: Program, facts: GraphFacts, known: [ValueID: Known] = [:], settings: Settings
  ) throws(OperatorError) -> Plan {
    var compiler = PlanCompiler(program, facts, settings)
    for (value, constant) in known { compiler.known[Int(value.index)] = constant }
    return try compiler.compile()
  }

  private init(_ program: Program, _ facts: GraphFacts, _ settings: Settings) {
    self.program = program
    self.facts = facts
    self.settings = settings
    known = [Known?](repeating: nil, count: program.graph.valueCount)
    slots = [Int32](repeating: -1, count: program.graph.valueCount)
  }

  private mutating func compile() throws(OperatorError) -> Plan {
    let graph = program.graph
    for id in graph.order {
      try requireRoom(for: id)
      try fold(id)
    }
    let running = runningNodes()
    for value in graph.inputs + graph.captures where known[Int(value.index)] == nil {
      if running.lastUse[Int(value.index)] != .unused { _ = slot(for: value) }
    }
    var steps: [Step] = []
    steps.reserveCapacity(running.order.count)
    var peak = PeakPrediction(facts)
    for (position, id) in running.order.enumerated() {
      let step = try step(id, position: position, lastUse: running.lastUse)
      peak.run(
        graph[id],
        results: graph[id].outputs.compactMap { $0 }.filter {
          running.lastUse[Int($0.index)] != .unused
        },
        releasing: Array(Set(graph[id].uses)).filter {
          running.lastUse[Int($0.index)] == .step(position)
        }, branchPeak: step.branchPeak)
      steps.append(step)
    }
    statistics.predictedPeakByteCount = peak.peakByteCount
    let outputs = try graph.outputs.map { (value) throws(OperatorError) in try operand(value) }
    dropUnreadConstants()
    statistics.stepCount = steps.count
    statistics.openStepCount = steps.count(where: \.isOpen)
    statistics.foldedNodeCount = graph.order.count - steps.count
    statistics.removedNodeCount = program.removedNodeCount
    for step in steps where step.branches.isEmpty {
      statistics.flops = statistics.flops.flatMap { total in step.flops.map { total + $0 } }
    }
    return Plan(
      statistics: statistics, inputs: graph.inputs.map { slots[Int($0.index)] },
      captures: graph.captures.map { slots[Int($0.index)] }, steps: steps, constants: constants,
      outputs: outputs, slotCount: Int(slotCount), fusions: settings.fusions)
  }
}

// MARK: - Constants

extension PlanCompiler {
  /// Computes a node now when everything it reads is known and the results are not too large.
  private mutating func fold(_ id: NodeID) throws(OperatorError) {
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
    let areShared = operands.allSatisfy { known[Int($0.index)]?.isShared ?? program.isConstant($0) }
    let constants = results.map { facts[$0].constant }
    if constants.allSatisfy({ $0 != nil }) {
      for case (let value, .some(let constant)) in zip(results, constants) {
        known[Int(value.index)] = Known(value: .tensor(constant), isShared: areShared)
        if areShared { program.setFolded(.tensor(constant), of: value) }
      }
      return
    }
    guard areKnown, node.subgraphs.isEmpty, let byteCount = resultByteCount(results),
      byteCount <= settings.foldingBudget
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
      operands.append(try knownValue(input))
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
        settings.foldingBudget -= tensor.byteCount
      }
    }
  }

  /// Refuses results that no run could hold, before anything is allocated.
  private func requireRoom(for id: NodeID) throws(OperatorError) {
    for case .some(let value) in program.graph[id].outputs {
      guard let type = facts[value].type.tensor, type.concreteShape != nil else { continue }
      let byteCount = resultByteCount([value]) ?? .max
      guard byteCount <= settings.resultByteCount else {
        throw OperatorError.tooLarge(byteCount, limit: settings.resultByteCount)
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

  private mutating func knownValue(_ value: ValueID) throws(OperatorError) -> RuntimeValue? {
    if let known = known[Int(value.index)] {
      if let value = known.value { return value }
      return try known.origin.flatMap { (origin) throws(OperatorError) in
        try origin.program.constant(origin.value).map { .tensor($0) }
      }
    }
    guard program.isConstant(value) else { return nil }
    return try program.constant(value).map { .tensor($0) }
  }

  private func dropUnreadConstants() {
    program.release(
      program.graph.initializerOrder.filter { value in
        constantPositions[value] == nil
          && program.origin(of: value).map { !settings.readConstants.contains($0) } ?? false
      })
  }

  /// Where a value that is an initializer, of this graph or an enclosing one, is kept.
  private func origin(of value: ValueID) -> Program.Origin? {
    guard let known = known[Int(value.index)] else { return program.origin(of: value) }
    return known.origin
  }
}

// MARK: - Steps

extension PlanCompiler {
  /// The step that reads a value last.
  private enum LastUse: Equatable {
    case unused
    case step(Int)
    case output
  }

  private func runningNodes() -> (order: [NodeID], lastUse: [LastUse]) {
    let graph = program.graph
    var lastUse = [LastUse](repeating: .unused, count: graph.valueCount)
    var order: [NodeID] = []
    for value in graph.outputs { lastUse[Int(value.index)] = .output }
    for id in graph.order.reversed() {
      let node = graph[id]
      let isNeeded = node.outputs.contains { value in
        value.map { known[Int($0.index)] == nil && lastUse[Int($0.index)] != .unused } ?? false
      }
      guard isNeeded else { continue }
      for value in node.uses where lastUse[Int(value.index)] == .unused {
        lastUse[Int(value.index)] = .step(order.count)
      }
      order.append(id)
    }
    let last = order.count - 1
    for index in lastUse.indices {
      if case .step(let position) = lastUse[index] { lastUse[index] = .step(last - position) }
    }
    return (order.reversed(), lastUse)
  }

  private mutating func step(
    _ id: NodeID, position: Int, lastUse: [LastUse]
  ) throws(OperatorError) -> Step {
    let graph = program.graph
    let node = graph[id]
    var stepOperator = try program.makeOperator(id, of: graph)
    var inputs: [Operand] = []
    for (position, input) in node.inputs.enumerated() {
      guard let input else {
        inputs.append(.absent)
        continue
      }
      if let preparing = stepOperator as? any PreparingOperator,
        preparing.preparedOperand == position,
        let constant = try preparedConstant(input, by: preparing),
        let shape = facts[input].type.tensor?.concreteShape
      {
        inputs.append(constant)
        stepOperator = preparing.taking(preparedOf: shape)
      } else {
        inputs.append(try operand(input))
      }
    }
    let branches = try branches(of: id)
    let results = node.outputs.map { value -> Int32 in
      guard let value, lastUse[Int(value.index)] != .unused else { return -1 }
      return slot(for: value)
    }
    var releases: [Int32] = []
    for value in node.uses where lastUse[Int(value.index)] == .step(position) {
      let slot = slots[Int(value.index)]
      if slot >= 0, !releases.contains(slot) { releases.append(slot) }
    }
    let isOpen = branches.isEmpty && node.uses.contains { !facts[$0].type.isConcrete }
    return Step(
      operator: stepOperator, op: node.op, label: graph.label(of: id),
      inputs: inputs, outputs: results, releases: releases, isOpen: isOpen, branches: branches,
      flops: facts.flops[Int(id.index)],
      expected: settings.checksResultTypes
        ? node.outputs.map { $0.map { facts[$0].type } ?? .unknown } : [])
  }

  private mutating func branches(of id: NodeID) throws(OperatorError) -> [Branch] {
    var branches: [Branch] = []
    for attribute in program.graph[id].attributes {
      guard case .graph(let subgraph) = attribute.value else { continue }
      let key = SubgraphKey(id, attribute.name)
      guard let child = program.child(key) else { continue }
      var constants: [ValueID: Known] = [:]
      var arguments: [ValueID: ValueFact] = [:]
      var captures: [Operand] = []
      for (inner, outer) in zip(subgraph.graph.captures, subgraph.captures) {
        arguments[inner] = facts[outer]
        let isShared = known[Int(outer.index)]?.isShared ?? program.isConstant(outer)
        if let origin = origin(of: outer) {
          constants[inner] = Known(isShared: isShared, origin: origin)
          captures.append(.absent)
        } else if let value = try knownValue(outer) {
          constants[inner] = Known(value: value, isShared: isShared)
          constantPositions[outer] = constantPositions[outer] ?? -1
          captures.append(.absent)
        } else {
          captures.append(try operand(outer))
        }
      }
      let plan: Result<Plan, OperatorError>
      do throws(OperatorError) {
        let inner: GraphFacts
        switch facts.subgraphs[key] {
        case .success(let known)?: inner = known
        case .failure(let error)?: throw error
        case nil:
          inner = try FactInference.facts(
            of: child.graph, arguments: arguments, source: child, options: .init(.strict))
        }
        plan = .success(
          try PlanCompiler.plan(child, facts: inner, known: constants, settings: settings))
      } catch {
        plan = .failure(error)
      }
      branches.append(Branch(attribute: attribute.name, plan: plan, captures: captures))
    }
    return branches
  }

  private mutating func operand(_ value: ValueID) throws(OperatorError) -> Operand {
    let slot = slots[Int(value.index)]
    if slot >= 0 { return .slot(slot) }
    if let position = constantPositions[value], position >= 0 { return .constant(position) }
    if let origin = origin(of: value) { settings.readConstants.insert(origin) }
    guard let constant = try knownValue(value) else {
      throw OperatorError(
        "undefined-value", "value '\(program.graph.name(of: value))' is not computed",
        category: .internalFault)
    }
    constantPositions[value] = constants.count
    return add(constant)
  }

  /// A constant operand as an operator wants it; nil when it takes it as it is.
  private mutating func preparedConstant(
    _ value: ValueID, by preparing: any PreparingOperator
  ) throws(OperatorError) -> Operand? {
    let key = preparing.preparation
    if let known = preparedConstants[value]?[key] { return known }
    guard slots[Int(value.index)] < 0, let origin = origin(of: value),
      let tensor = try origin.program.prepared(origin.value, by: preparing)
    else { return nil }
    let operand = add(.tensor(tensor))
    preparedConstants[value, default: [:]][key] = operand
    return operand
  }

  private mutating func add(_ constant: RuntimeValue) -> Operand {
    if case .tensor(let tensor) = constant { statistics.constantByteCount += tensor.byteCount }
    constants.append(constant)
    return .constant(constants.count - 1)
  }

  private mutating func slot(for value: ValueID) -> Int32 {
    let slot = slotCount
    slots[Int(value.index)] = slot
    slotCount += 1
    return slot
  }
}

extension Step {
  /// Bytes that the results of the hungriest branch take; nil when that depends on data.
  fileprivate var branchPeak: Int? {
    var peak: Int? = 0
    for branch in branches {
      guard case .success(let plan) = branch.plan else { continue }
      let own = plan.statistics.predictedPeakByteCount
      peak = peak.flatMap { peak in own.map { max(peak, $0) } }
    }
    return peak
  }
}

extension RuntimeValue {
  /// The identity of a tensor's memory.
  fileprivate var storage: ObjectIdentifier? {
    if case .tensor(let tensor) = self { ObjectIdentifier(tensor.storage) } else { nil }
  }
}

extension ValueType {
  /// True when nothing about it is left open.
  fileprivate var isConcrete: Bool {
    switch self {
    case .unknown: false
    case .tensor(let type): type.dataType != nil && type.concreteShape != nil
    case .sequence(let element), .optional(let element): element.isConcrete
    }
  }
}
