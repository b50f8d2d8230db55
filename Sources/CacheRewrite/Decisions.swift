import CacheContract
import GraphIR
import ScheduleLanguage
import Tensors

/// Adds the control inputs and the nodes that decide, for each site, whether it computes.
///
/// `compute = ¬valid ∨ ¬fits ∨ override = compute ∨ (override ≠ reuse ∧ table[step])`, where `fits`
/// says that every slot has the shape of its stream. All of it costs a few scalar operators.
struct Decisions {
  private(set) var controls: [String] = []
  private var step: ValueID?
  private var override: ValueID?
  private var invalid: [Int: ValueID] = [:]
  private var forced: [Int: ValueID] = [:]
  private let convention: StateConvention
  private let siteCount: Int

  init(convention: StateConvention, siteCount: Int) {
    self.convention = convention
    self.siteCount = siteCount
  }

  /// Adds the controls and, for each rule, its table and its validity.
  mutating func declare(
    _ schedule: ResolvedSchedule, rules: Set<Int>, in graph: inout Graph
  ) -> [(rule: Int, input: ValueID, output: ValueID)] {
    let zero = graph.constant([Int64(0)], shape: .scalar, name: "ditcache/constant/zero")
    let axes = graph.constant([Int64(0)], shape: .vector(1), name: "ditcache/constant/axes")
    let last = graph.constant(
      [Int64(schedule.steps - 1)], shape: .scalar, name: "ditcache/constant/last_step")
    let yes = graph.constant([true], shape: .vector(1), name: "ditcache/constant/true")
    let scalarStep = emit(
      "Squeeze", [control(ContractNames.step, count: 1, in: &graph), axes], "step/scalar", .int64,
      in: &graph)
    let lower = emit("Max", [scalarStep, zero], "step/from_zero", .int64, in: &graph)
    step = emit("Min", [lower, last], "step/clipped", .int64, in: &graph)
    override = control(ContractNames.override, count: siteCount, in: &graph)
    var pairs: [(rule: Int, input: ValueID, output: ValueID)] = []
    for rule in rules.sorted() {
      let facts = schedule.rules[rule]
      let name = facts.rule.name
      let flag = ContractNames.valid(rule: name)
      let input = graph.addInput(Name(flag), type: .tensor(.bool, [1]))
      if convention == .optional {
        graph.setInitializer(StoredTensor(Tensor([false])), of: input)
      }
      let scalar = emit("Squeeze", [input, axes], "\(name)/valid/scalar", .bool, in: &graph)
      invalid[rule] = emit("Not", [scalar], "\(name)/invalid", .bool, in: &graph)
      let table = graph.constant(
        facts.table.computed, shape: .vector(facts.table.stepCount),
        name: Name("ditcache/\(name)/table"))
      forced[rule] = emit("Gather", [table, step], "\(name)/forced", .bool, in: &graph)
      let output = graph.emit(
        "Identity", [yes], name: Name(ContractNames.output(of: flag)), type: .tensor(.bool, [1]))
      pairs.append((rule, input, output))
    }
    return pairs
  }

  /// The decision of one site, a bool scalar.
  func decide(
    _ number: Int, _ site: CachePlan.Site, rule: CacheRule,
    slots: [(input: ValueID, stream: ValueID)], in graph: inout Graph
  ) throws(CacheRewriteError) -> ValueID {
    let place = "\(rule.name)/\(site.name)"
    guard let override, let invalid = invalid[site.rule], let forced = forced[site.rule] else {
      throw CacheRewriteError(
        "undeclared-rule", at: place, "the rule was not declared", category: .internalFault)
    }
    let index = graph.constant(
      [Int64(number)], shape: .scalar, name: Name("ditcache/\(place)/index"))
    let one = graph.constant([Int64(1)], shape: .scalar, name: Name("ditcache/\(place)/one"))
    let two = graph.constant([Int64(2)], shape: .scalar, name: Name("ditcache/\(place)/two"))
    let own = emit("Gather", [override, index], "\(place)/override", .int64, in: &graph)
    let mustCompute = emit("Equal", [own, one], "\(place)/must_compute", .bool, in: &graph)
    let mustReuse = emit("Equal", [own, two], "\(place)/must_reuse", .bool, in: &graph)
    let mayCompute = emit("Not", [mustReuse], "\(place)/may_compute", .bool, in: &graph)
    let scheduled = emit("And", [mayCompute, forced], "\(place)/scheduled", .bool, in: &graph)
    var decision = emit("Or", [mustCompute, scheduled], "\(place)/wanted", .bool, in: &graph)
    for (position, slot) in slots.enumerated()
    where graph.tensorType(of: slot.input)?.concreteShape == nil {
      let misfit = misfit(slot.input, slot.stream, "\(place)/\(position)", in: &graph)
      decision = emit("Or", [decision, misfit], "\(place)/\(position)/needed", .bool, in: &graph)
    }
    return emit("Or", [invalid, decision], "\(place)/compute", .bool, in: &graph)
  }

  /// True when a slot does not have its stream's shape.
  private func misfit(
    _ slot: ValueID, _ stream: ValueID, _ place: String, in graph: inout Graph
  ) -> ValueID {
    let rank = graph.tensorType(of: slot)?.shape?.count ?? 0
    let shape: ValueType = .tensor(.int64, [Dimension(rank)])
    let held = graph.emit("Shape", [slot], name: Name("ditcache/\(place)/held"), type: shape)
    let due = graph.emit("Shape", [stream], name: Name("ditcache/\(place)/due"), type: shape)
    let same = graph.emit(
      "Equal", [held, due], name: Name("ditcache/\(place)/same"),
      type: .tensor(.bool, [Dimension(rank)]))
    let numbers = graph.emit(
      "Cast", [same], [Attribute("to", .int(Int(DataType.int32.rawValue)))],
      name: Name("ditcache/\(place)/same/number"), type: .tensor(.int32, [Dimension(rank)]))
    let all = graph.emit(
      "ReduceMin", [numbers], [Attribute("keepdims", .int(0))],
      name: Name("ditcache/\(place)/fits/number"), type: .tensor(.int32, []))
    let fits = graph.emit(
      "Cast", [all], [Attribute("to", .int(Int(DataType.bool.rawValue)))],
      name: Name("ditcache/\(place)/fits"), type: .tensor(.bool, []))
    return emit("Not", [fits], "\(place)/misfit", .bool, in: &graph)
  }

  private mutating func control(
    _ name: String, count: Int, in graph: inout Graph
  ) -> ValueID {
    let input = graph.addInput(Name(name), type: .tensor(.int64, [Dimension(count)]))
    if convention == .optional {
      graph.setInitializer(
        StoredTensor(Tensor([Int64](repeating: 0, count: count))), of: input)
    }
    controls.append(name)
    return input
  }

  private func emit(
    _ op: OpKey, _ inputs: [ValueID?], _ name: String, _ dataType: DataType,
    in graph: inout Graph
  ) -> ValueID {
    graph.emit(op, inputs, name: Name("ditcache/\(name)"), type: .tensor(dataType, []))
  }
}
