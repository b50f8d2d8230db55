import GraphIR
import Operators
import Rewrite
import Tensors
import TypeInference

/// Turns a program and the facts of its values into a plan.
struct PlanCompiler {
  private let program: Program
  private let facts: GraphFacts
  private let settings: Settings
  private var known: KnownValues
  private var slots: [Int32]
  private var slotCount: Int32 = 0
  private var constants: [RuntimeValue] = []
  private var constantPositions: [ValueID: Int] = [:]
  private var preparedConstants: [ValueID: [String: Operand]] = [:]
  private var statistics = PlanStatistics()

  /// What the compilers of a graph and of the graphs inside it have in common.
  final class Settings {
    let checksResultTypes: Bool
    let budget: FoldingBudget
    /// What was fused before.
    let fusions: [PassReport]
    /// The initializers that a plan reads as they are.
    var readConstants: Set<Program.Origin> = []

    init(checksResultTypes: Bool, budget: FoldingBudget, fusions: [PassReport]) {
      self.checksResultTypes = checksResultTypes
      self.budget = budget
      self.fusions = fusions
    }
  }

  /// A plan; `captures` are those whose values are constants of the enclosing plan.
  static func plan(
    _ program: Program, facts: GraphFacts, captures: [ValueID: KnownValues.Known] = [:],
    settings: Settings
  ) throws(OperatorError) -> Plan {
    var compiler = PlanCompiler(program, facts, captures, settings)
    return try compiler.compile()
  }

  private init(
    _ program: Program, _ facts: GraphFacts, _ captures: [ValueID: KnownValues.Known],
    _ settings: Settings
  ) {
    self.program = program
    self.facts = facts
    self.settings = settings
    known = KnownValues(program, facts, captures: captures, settings.budget)
    slots = [Int32](repeating: -1, count: program.graph.valueCount)
  }

  private mutating func compile() throws(OperatorError) -> Plan {
    let graph = program.graph
    for id in graph.order {
      try known.requireRoom(for: id)
      try known.fold(id)
    }
    let liveness = Liveness(graph, known)
    for value in graph.inputs + graph.captures where !known.contains(value) {
      if liveness.isUsed(value) { _ = slot(for: value) }
    }
    let joined = JoinedResults(graph, facts, known, liveness) { [program] id in
      try? program.makeOperator(id, of: graph)
    }
    var steps: [Step] = []
    steps.reserveCapacity(liveness.order.count)
    var peak = PeakPrediction(facts)
    for (position, id) in liveness.order.enumerated() {
      let step = try step(id, position: position, liveness, joined.placements[id])
      let node = graph[id]
      peak.run(
        node,
        results: node.outputs.compactMap { $0 }.filter(liveness.isUsed),
        place: step.placement?.whole,
        overwriting: step.overwritten.compactMap { node.inputs[$0.position] },
        releasing: Array(Set(node.uses)).filter { liveness.ends($0, at: position) },
        branchPeak: step.branchPeak)
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

  private func dropUnreadConstants() {
    program.release(
      program.graph.initializerOrder.filter { value in
        constantPositions[value] == nil
          && program.origin(of: value).map { !settings.readConstants.contains($0) } ?? false
      })
  }
}

// MARK: - Steps

extension PlanCompiler {
  private mutating func step(
    _ id: NodeID, position: Int, _ liveness: Liveness, _ placement: Placement?
  ) throws(OperatorError) -> Step {
    let graph = program.graph
    let node = graph[id]
    var stepOperator = try program.makeOperator(id, of: graph)
    let overwritable = (stepOperator as? any PlacedOperator)?.overwritableOperands ?? []
    var inputs: [Operand] = []
    for (position, input) in node.inputs.enumerated() {
      guard let input else {
        inputs.append(.absent)
        continue
      }
      if let preparing = stepOperator as? any PreparingOperator,
        preparing.preparedOperands.contains(position),
        let constant = try preparedConstant(input, by: preparing),
        let shape = facts[input].type.tensor?.concreteShape
      {
        inputs.append(constant)
        stepOperator = preparing.taking(prepared: position, of: shape)
      } else {
        inputs.append(try operand(input))
      }
    }
    let branches = try branches(of: id)
    let results = node.outputs.map { value -> Int32 in
      guard let value, liveness.isUsed(value) else { return -1 }
      return slot(for: value)
    }
    var releases: [Int32] = []
    for value in node.uses where liveness.ends(value, at: position) {
      let slot = slots[Int(value.index)]
      if slot >= 0, !releases.contains(slot) { releases.append(slot) }
    }
    let overwritten = overwritable.compactMap { operand -> (position: Int, slot: Int)? in
      guard placement == nil, operand < inputs.count, let slot = inputs[operand].slot,
        releases.contains(Int32(slot)), inputs.count(where: { $0.slot == slot }) == 1,
        fits(node.inputs[operand], node.outputs.first)
      else { return nil }
      return (operand, slot)
    }
    let isOpen = branches.isEmpty && node.uses.contains { !facts[$0].type.isConcrete }
    return Step(
      operator: stepOperator, op: node.op, label: graph.label(of: id),
      inputs: inputs, outputs: results, releases: releases,
      placement: placement.map { $0.at(slot: slot(for: $0.whole)) }, overwritten: overwritten,
      isOpen: isOpen, branches: branches,
      flops: facts.flops[Int(id.index)],
      expected: settings.checksResultTypes
        ? node.outputs.map { $0.map { facts[$0].type } ?? .unknown } : [])
  }

  /// True when a result is known to have an operand's type and as many elements.
  private func fits(_ operand: ValueID?, _ result: ValueID??) -> Bool {
    guard let operand = operand.flatMap({ facts[$0].type.tensor }),
      let result = result.flatMap({ $0 }).flatMap({ facts[$0].type.tensor }),
      let count = operand.concreteShape?.elementCount
    else { return false }
    return operand.dataType == result.dataType && count == result.concreteShape?.elementCount
  }

  private mutating func branches(of id: NodeID) throws(OperatorError) -> [Branch] {
    var branches: [Branch] = []
    for attribute in program.graph[id].attributes {
      guard case .graph(let subgraph) = attribute.value else { continue }
      let key = SubgraphKey(id, attribute.name)
      guard let child = program.child(key) else { continue }
      var constants: [ValueID: KnownValues.Known] = [:]
      var arguments: [ValueID: ValueFact] = [:]
      var captures: [Operand] = []
      for (inner, outer) in zip(subgraph.graph.captures, subgraph.captures) {
        arguments[inner] = facts[outer]
        if let origin = known.origin(of: outer) {
          constants[inner] = .init(isShared: known.isShared(outer), origin: origin)
          captures.append(.absent)
        } else if let value = try known.value(of: outer) {
          constants[inner] = .init(value: value, isShared: known.isShared(outer))
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
          try PlanCompiler.plan(child, facts: inner, captures: constants, settings: settings))
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
    if let origin = known.origin(of: value) { settings.readConstants.insert(origin) }
    guard let constant = try known.value(of: value) else {
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
    guard slots[Int(value.index)] < 0, let origin = known.origin(of: value),
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

  /// The slot of a value that is computed, the same each time.
  private mutating func slot(for value: ValueID) -> Int32 {
    let known = slots[Int(value.index)]
    guard known < 0 else { return known }
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
