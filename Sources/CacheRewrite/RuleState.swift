import CacheContract
import GraphIR
import ModelStructure
import ScheduleLanguage
import Tensors

/// One rule in the main graph: its slots, whether they hold anything, and the values that follow.
struct RuleState {
  let rule: CacheRule
  let sites: [CachePlan.Site]
  /// The rule's slots, counters of steps included.
  let slots: [ScheduleLanguage.Slot]
  let taps: TapValues
  let controls: Controls
  /// The flag's input.
  let validInput: ValueID
  /// Whether the slots hold something of the right shape.
  private(set) var ready: ValueID
  /// Scalar inputs by name.
  private(set) var scalarInputs: [String: ValueID] = [:]
  /// Scalars as they were; what they begin with while nothing is kept.
  private(set) var old: [String: ValueID] = [:]
  /// Scalars after the assignments before the decision.
  var updated: [String: ValueID] = [:]
  /// Slots that the rule keeps once, and their inputs.
  let shared: SlotLayout
  private(set) var sharedInputs: [ValueID] = []
  /// What the sites make and what follows from it: too late to decide by.
  private let late: Set<ValueID>
  /// Whether the slots of the first site are among those that `ready` looks at.
  private var coversFirstSite = false
  /// Slots of each site, and their inputs.
  let local: [SlotLayout]
  private(set) var localInputs: [[ValueID]] = []
  /// How many blocks the model has.
  let blockCount: Int
  /// Whether what may hold nothing is read all the same, where its size is fixed.
  let avoidsNestedIf: Bool
  /// The sizes of the latents; nil where they are not known.
  let latents: [Int]?
  /// What slots of sites that are wrapped already hold after this call.
  var held = HeldSlots()
  /// The graph before anything was wrapped, and the nodes that cache nodes will own; for rules that
  /// run bodies again or read attention.
  let original: Graph?
  let owned: Set<NodeID>

  init(
    _ number: Int, of plan: CachePlan, controls: Controls, convention: StateConvention,
    avoidsNestedIf: Bool, in graph: inout Graph
  ) throws {
    rule = plan.schedule.rules[number].rule
    sites = plan.sites.filter { $0.rule == number }
    taps = plan.taps
    blockCount = plan.schedule.layout.blockCount
    self.avoidsNestedIf = avoidsNestedIf
    latents = plan.latents
    let runsBodies = rule.expressions.contains(where: \.runsBodies)
    let readsAttention = rule.expressions.contains { !$0.attentionValues.isEmpty }
    original = runsBodies || readsAttention ? graph : nil
    owned = runsBodies ? Set(plan.sites.flatMap(\.nodes)) : []
    self.controls = controls
    slots = rule.reuse.slots + Self.counters(of: rule)
    shared = try SlotLayout(
      sharedBy: rule, taps: plan.taps, in: graph, convention: convention)
    var layouts: [SlotLayout] = []
    for site in sites {
      layouts.append(try SlotLayout(site, rule: rule, in: graph, convention: convention))
    }
    local = layouts
    let flag = ContractNames.valid(rule: rule.name)
    validInput = graph.addInput(Name(flag), type: .tensor(.bool, [1]))
    if convention == .optional {
      graph.setInitializer(StoredTensor(Tensor([false])), of: validInput)
    }
    ready = graph.emit(
      "Squeeze", [validInput, controls.axes], name: Name("ditcache/\(rule.name)/valid/scalar"),
      type: .tensor(.bool, []))
    func declare(_ entry: SlotLayout.Entry, in graph: inout Graph) -> ValueID {
      let input = graph.addInput(Name(entry.name), type: .tensor(entry.type))
      if convention == .optional, let empty = entry.type.emptyDefault {
        graph.setInitializer(empty, of: input)
      }
      return input
    }
    for slot in slots where slot.isScalar {
      let name = ContractNames.slot(
        slot.name, stream: 0, of: 1, site: ContractNames.shared, rule: rule.name)
      let input = graph.addInput(Name(name), type: .tensor(.float32, [1]))
      if convention == .optional {
        graph.setInitializer(StoredTensor(Tensor([Float(slot.initial ?? 0)])), of: input)
      }
      scalarInputs[slot.name] = input
    }
    let hasScalars = slots.contains(where: \.isScalar)
    late =
      shared.entries.isEmpty && !hasScalars ? [] : Self.values(after: sites, in: graph)
    for entry in shared.entries {
      let input = declare(entry, in: &graph)
      sharedInputs.append(input)
      guard let tap = entry.slot.signal(among: slots), let meaning = taps[tap],
        !late.contains(meaning.first)
      else { continue }
      ready = fits(input, meaning.first, entry.name, and: ready, in: &graph)
    }
    for layout in local {
      var inputs: [ValueID] = []
      for entry in layout.entries { inputs.append(declare(entry, in: &graph)) }
      localInputs.append(inputs)
    }
    if hasScalars, let first = sites.first,
      !first.streams.contains(where: { late.contains($0.input) })
    {
      // Numbers begin again where the tensors beside them are those of another shape.
      ready = self.ready(site: 0, in: &graph)
      coversFirstSite = true
    }
    for slot in slots where slot.isScalar {
      guard let input = scalarInputs[slot.name] else { continue }
      let place = "ditcache/\(rule.name)/\(slot.name)"
      let held = graph.emit(
        "Squeeze", [input, controls.axes], name: Name("\(place)/held"),
        type: .tensor(.float32, []))
      let initial = graph.constant(
        [Float(slot.initial ?? 0)], shape: .scalar, name: Name("\(place)/initial"))
      old[slot.name] = graph.emit(
        "Where", [ready, held, initial], name: Name("\(place)/old"), type: .tensor(.float32, []))
    }
    updated = old
  }

  private static func values(after sites: [CachePlan.Site], in graph: Graph) -> Set<ValueID> {
    var values = Set(sites.flatMap { $0.streams.map(\.output) })
    for id in graph.order where graph[id].uses.contains(where: values.contains) {
      values.formUnion(graph[id].outputs.compactMap { $0 })
    }
    return values
  }

  /// Scalar slots that count steps, where the rule reads them and no table says them.
  static func counters(of rule: CacheRule) -> [ScheduleLanguage.Slot] {
    let readers =
      rule.isStatic ? [rule.reuse.value] + rule.reuse.slots.flatMap(\.updates) : rule.expressions
    let used = readers.reduce(into: Set<Expression.Control>()) { $0.formUnion($1.controls) }
    var counters: [ScheduleLanguage.Slot] = []
    for control in [Expression.Control.cachedSteps, .continuousCachedSteps]
    where used.contains(control) {
      var counter = ScheduleLanguage.Slot(name: control.rawValue, initial: 0)
      counter.reused = .updated(control.rawValue) + 1
      if control == .continuousCachedSteps { counter.computed = 0 }
      counters.append(counter)
    }
    return counters
  }

  /// Whether the slots that are filled after the sites hold something, too.
  func readyAfterSites(in graph: inout Graph) -> ValueID {
    var result = ready
    for (entry, input) in zip(shared.entries, sharedInputs) {
      guard let tap = entry.slot.signal(among: slots), let due = taps[tap]?.first,
        late.contains(due)
      else { continue }
      result = fits(input, due, entry.name, and: result, in: &graph)
    }
    return result
  }

  /// Whether the slots of a site hold something, too: one more condition of `ready`.
  func ready(site number: Int, in graph: inout Graph) -> ValueID {
    if number == 0, coversFirstSite { return ready }
    var result = ready
    for (entry, input) in zip(local[number].entries, localInputs[number]) {
      guard let stream = entry.stream else { continue }
      let due = sites[number].streams[stream]
      guard graph.tensorType(of: due.input)?.shape == graph.tensorType(of: due.output)?.shape else {
        continue
      }
      result = fits(
        input, due.input, entry.name, and: result, isPerToken: entry.slot.isPerToken, in: &graph)
    }
    return result
  }

  /// `condition`, and a slot has the shape of a value.
  private func fits(
    _ slot: ValueID, _ value: ValueID, _ place: String, and condition: ValueID,
    isPerToken: Bool = false, in graph: inout Graph
  ) -> ValueID {
    guard graph.tensorType(of: slot)?.concreteShape == nil else { return condition }
    let rank = graph.tensorType(of: slot)?.shape?.count ?? 0
    let shape: ValueType = .tensor(.int64, [Dimension(rank)])
    func emit(
      _ op: OpKey, _ inputs: [ValueID?], _ name: String, _ type: ValueType,
      _ attributes: [Attribute] = []
    ) -> ValueID {
      graph.emit(op, inputs, attributes, name: Name("\(place)/\(name)"), type: type)
    }
    let held = emit("Shape", [slot], "held_shape", shape)
    var due = emit("Shape", [value], "due_shape", shape)
    if isPerToken {
      let ends = [0, rank - 1].map { end in
        graph.constant([Int64(end)], shape: .vector(1), name: Name("\(place)/due_\(end)"))
      }
      let one = graph.constant([Int64(1)], shape: .vector(1), name: Name("\(place)/due_width"))
      let tokens = emit(
        "Slice", [due, ends[0], ends[1]], "due_tokens", .tensor(.int64, [Dimension(rank - 1)]))
      due = emit(
        "Concat", [tokens, one], "due_token_shape", shape, [Attribute("axis", .int(0))])
    }
    let same = emit("Equal", [held, due], "same", .tensor(.bool, [Dimension(rank)]))
    let numbers = emit(
      "Cast", [same], "same/number", .tensor(.int32, [Dimension(rank)]),
      [Attribute("to", .int(Int(DataType.int32.rawValue)))])
    let all = emit(
      "ReduceMin", [numbers], "fits/number", .tensor(.int32, []),
      [Attribute("keepdims", .int(0))])
    let fits = emit(
      "Cast", [all], "fits", .tensor(.bool, []),
      [Attribute("to", .int(Int(DataType.bool.rawValue)))])
    return emit("And", [condition, fits], "ready", .tensor(.bool, []))
  }
}
