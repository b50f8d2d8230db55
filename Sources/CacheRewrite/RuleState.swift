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
  private let taps: TapValues
  private let controls: Controls
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
  private let blockCount: Int
  /// Whether what may hold nothing is read all the same, where its size is fixed.
  private let avoidsNestedIf: Bool
  /// The graph before anything was wrapped, and the nodes that cache nodes will own; for rules that
  /// run bodies again.
  private let original: Graph?
  private let owned: Set<NodeID>

  init(
    _ number: Int, of plan: CachePlan, controls: Controls, convention: StateConvention,
    avoidsNestedIf: Bool, in graph: inout Graph
  ) throws {
    rule = plan.schedule.rules[number].rule
    sites = plan.sites.filter { $0.rule == number }
    taps = plan.taps
    blockCount = plan.schedule.layout.blockCount
    self.avoidsNestedIf = avoidsNestedIf
    let runsBodies = rule.expressions.contains(where: \.runsBodies)
    original = runsBodies ? graph : nil
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

// MARK: - Leaves

extension RuleState {
  /// Lowers expressions of the rule; `site` is the site and stream whose border they mean, nil for
  /// the rule's only site, and `isBefore` is true for what is evaluated before the decision.
  func lowering(
    site: (number: Int, stream: Int)? = nil, ready: ValueID, isBefore: Bool = false
  ) -> ExpressionLowering {
    let place = site.map { "\(rule.name)/\(sites[$0.number].name)" } ?? "rule '\(rule.name)'"
    return ExpressionLowering(
      place: place,
      hasFixedSize: { name in
        old[name] != nil || avoidsNestedIf && tensorSlot(name, site)?.type.concreteShape != nil
      }
    ) { expression, scope in
      try leaf(expression, scope, site: site, ready: ready, isBefore: isBefore)
    }
  }

  private func leaf(
    _ expression: Expression, _ scope: GraphScope, site: (number: Int, stream: Int)?,
    ready: ValueID, isBefore: Bool
  ) throws -> Operand {
    let again = lowering(site: site, ready: ready, isBefore: isBefore)
    switch expression {
    case .control(.valid): return Operand(value: scope.outer(ready), kind: .boolean)
    case .control(.depth):
      guard let site else { break }
      let value = Float(sites[site.number].depth(of: blockCount))
      return Operand(value: scope.graph.constant([value], shape: .scalar), kind: .number)
    case .body(let operand):
      guard let site, let original else { break }
      return try body(on: operand, site, original, again, in: scope)
    case .control(let control):
      if let counter = old[control.rawValue] {
        return Operand(value: scope.outer(counter), kind: .number)
      }
      guard let value = controls[control] else { break }
      let isReal = [.timestep, .sigma, .nextSigma].contains(control)
      return Operand(value: scope.outer(value), kind: isReal ? .number : .integer)
    case .parameter(let name):
      guard let value = controls.parameter(name) else { break }
      return Operand(value: scope.outer(value), kind: .number)
    case .updated(let name):
      let slot = slots.first { $0.name == name }
      if isBefore, let before = slot?.before {
        var value = try again.lower(before, in: scope)
        value.value = scope.cast(value.value, to: .float32)
        value.kind = .number
        return value
      }
      guard let value = updated[name] else { break }
      return Operand(value: scope.outer(value), kind: .number)
    case .tap(let tap):
      guard let meaning = taps[tap, site?.stream ?? 0] else { break }
      switch meaning {
      case .value(let value): return tensor(value, scope)
      case .difference(let a, let b):
        var operand = tensor(a, scope)
        operand.value = scope.emit(
          "Sub", [operand.value, scope.outer(b)], operand.valueType)
        return operand
      case .recomputed(let inputs, let output):
        guard let original else { break }
        let copy = BodyCopy(of: output, from: inputs, hidden: owned, in: original)
        return Operand(
          value: try copy.emit(in: scope, at: again.place), kind: .tensor,
          type: original.tensorType(of: output) ?? TensorType(nil, nil))
      }
    case .site(let border):
      let stream = try stream(site)
      return tensor(border == .input ? stream.input : stream.output, scope)
    case .slot(let name):
      if let value = old[name] { return Operand(value: scope.outer(value), kind: .number) }
      guard let (input, type) = tensorSlot(name, site) else { break }
      func held(_ scope: GraphScope) -> Operand {
        let value = scope.cast(scope.outer(input), to: type.dataType ?? .float32)
        return Operand(value: value, kind: .tensor, type: type)
      }
      if scope.isReady { return held(scope) }
      if again.hasFixedSize(name) {
        let zero = Operand(
          value: scope.graph.constant([Float(0)], shape: .scalar), kind: .number)
        return again.selected(scope.outer(ready), held(scope), zero, in: scope)
      }
      return try again.choice(
        scope.outer(ready), in: scope, isReady: true, then: { held($0) },
        else: { inner in
          let zero = Operand(
            value: inner.graph.constant([Float(0)], shape: .scalar), kind: .number)
          var due = inner.outer(try reference(name, site))
          if slots.contains(where: { $0.name == name && $0.isPerToken }) {
            due = inner.firstChannel(of: due)
          }
          return try again.spread(zero, like: type, in: inner, reference: due)
        })
    default: break
    }
    throw again.unsupported("'\(expression)'")
  }

  /// What a site makes of other hidden states, or of some of their tokens.
  private func body(
    on expression: Expression, _ site: (number: Int, stream: Int), _ original: Graph,
    _ lowering: ExpressionLowering, in scope: GraphScope
  ) throws -> Operand {
    let streams = sites[site.number].streams
    let own = streams[site.stream]
    let copy = BodyCopy(of: own.output, from: streams.map(\.input), hidden: owned, in: original)
    if let other = streams.first(where: { $0.input != own.input && copy.reads($0.input) }) {
      throw CacheRewriteError(
        "streams-read-each-other", at: lowering.place,
        "'body' takes one tensor, but the site reads '\(original.name(of: other.input))' of another "
          + "stream as well", category: .badSchedule)
    }
    let operand = try lowering.lower(expression, in: scope)
    let due = original.tensorType(of: own.input) ?? TensorType(nil, nil)
    guard operand.kind == .tensor, let shape = operand.type.shape, let whole = due.shape,
      shape.count == whole.count, shape.count >= 2,
      shape.indices.allSatisfy({ $0 == shape.count - 2 || shape[$0] == whole[$0] })
    else {
      throw CacheRewriteError(
        "not-the-sites-tokens", at: lowering.place,
        "'body' takes hidden states like the site's, and '\(expression)' is of another shape",
        hint: "write 'body(gather(input, …))'", category: .badSchedule)
    }
    var rows: (axes: TokenRows, count: Dimension)?
    let count = shape[shape.count - 2]
    if count != whole[shape.count - 2] {
      rows = (
        try TokenRows(of: own.input, through: copy.nodes, in: original, at: lowering.place), count
      )
    }
    let value = due.dataType.map { scope.cast(operand.value, to: $0) } ?? operand.value
    var type = original.tensorType(of: own.output) ?? TensorType(nil, nil)
    if let axis = rows?.axes.axes[own.output] { type.shape?[axis] = count }
    return Operand(
      value: try copy.emit(
        in: scope, replacing: (own.input, value), rows: rows, at: lowering.place),
      kind: .tensor, type: type)
  }

  private func tensor(_ value: ValueID, _ scope: GraphScope) -> Operand {
    let inner = scope.outer(value)
    return Operand(
      value: inner, kind: .tensor, type: scope.graph.tensorType(of: inner) ?? TensorType(nil, nil))
  }

  /// The streams of the site that an expression means.
  private func stream(
    _ site: (number: Int, stream: Int)?
  ) throws(CacheRewriteError) -> Stream {
    if let site { return sites[site.number].streams[site.stream] }
    guard sites.count == 1 else {
      throw CacheRewriteError(
        "ambiguous-site", at: "rule '\(rule.name)'",
        "'input' and 'output' mean \(sites.count) sites here, and a number is kept once a rule",
        hint: "read one of them: 'output(blocks[3])', 'residual(self_attention of blocks[3])'",
        category: .badSchedule)
    }
    return sites[0].streams[0]
  }

  /// The input of a tensor slot, and the type it has in expressions.
  private func tensorSlot(
    _ name: String, _ site: (number: Int, stream: Int)?
  ) -> (input: ValueID, type: TensorType)? {
    for (entry, input) in zip(shared.entries, sharedInputs) where entry.slot.name == name {
      return (input, TensorType(entry.signalType ?? entry.type.dataType, entry.type.shape))
    }
    let number = site?.number ?? 0
    guard number < local.count else { return nil }
    for (entry, input) in zip(local[number].entries, localInputs[number])
    where entry.slot.name == name && entry.stream == site?.stream ?? 0 {
      return (input, TensorType(entry.signalType ?? entry.type.dataType, entry.type.shape))
    }
    return nil
  }

  /// A value of the shape that a slot will have.
  private func reference(
    _ name: String, _ site: (number: Int, stream: Int)?
  ) throws(CacheRewriteError) -> ValueID {
    for entry in shared.entries where entry.slot.name == name {
      if let tap = entry.slot.signal(among: slots), let meaning = taps[tap] {
        return meaning.first
      }
    }
    return try stream(site).output
  }
}
