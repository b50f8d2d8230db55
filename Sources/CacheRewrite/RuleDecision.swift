import CacheContract
import GraphIR
import ScheduleLanguage
import Tensors

/// What a rule decides in a call, as scalars of the main graph.
struct RuleDecision {
  /// Whether to compute.
  let compute: ValueID
  /// What was compared; nil for a rule without a metric.
  let metric: ValueID?

  /// Adds the decision of a rule: a table of steps, or an If that looks at slots and taps only
  /// while the slots hold something.
  init(_ state: inout RuleState, _ facts: ResolvedRule, controls: Controls, in graph: inout Graph)
    throws
  {
    let rule = state.rule
    let isSettled =
      rule.isStatic && rule.metric == nil && state.slots.allSatisfy { $0.before == nil }
    if isSettled, let step = controls[.step] {
      let table = graph.constant(
        facts.table.computed, shape: .vector(facts.table.stepCount),
        name: Name("ditcache/\(rule.name)/table"))
      compute = graph.emit(
        "Gather", [table, step], name: Name("ditcache/\(rule.name)/forced"),
        type: .tensor(.bool, []))
      metric = nil
      return
    }
    let scalars = state.slots.filter(\.isScalar)
    let (then, other) = try Self.branches(state, scalars, in: graph)
    let prefix = "ditcache/\(rule.name)"
    let names = ["wanted", "metric"] + scalars.map { "\($0.name)/updated" }
    let outputs = names.enumerated().map { index, name in
      graph.makeValue(
        Name("\(prefix)/\(name)"), type: .tensor(index == 0 ? .bool : .float32, []))
    }
    graph.append(
      Node(
        "If", name: Name("\(prefix)/decision"), inputs: [state.ready], outputs: outputs,
        attributes: [
          Attribute("then_branch", .graph(then)), Attribute("else_branch", .graph(other)),
        ]))
    compute = outputs[0]
    metric = rule.metric == nil ? nil : outputs[1]
    for (slot, value) in zip(scalars, outputs.dropFirst(2)) { state.updated[slot.name] = value }
  }

  private static func branches(
    _ state: RuleState, _ scalars: [ScheduleLanguage.Slot], in graph: Graph
  ) throws -> (Subgraph, Subgraph) {
    let rule = state.rule
    let lowering = state.lowering(ready: state.ready, isBefore: true)
    let yes = GraphScope(name: Name("\(rule.name)/decide"), of: graph, isReady: true)
    func add(_ expression: Expression, _ name: String, isBoolean: Bool = false) throws {
      let operand = try lowering.lower(expression, in: yes)
      yes.addOutput(
        isBoolean ? operand.value : yes.cast(operand.value, to: .float32), name: Name(name))
    }
    try add(rule.decision, "compute", isBoolean: true)
    try add(rule.metric ?? .number(.nan), "metric")
    for slot in scalars { try add(.updated(slot.name), slot.name) }
    let no = GraphScope(name: Name("\(rule.name)/begin"), of: graph)
    no.addOutput(no.graph.constant([true], shape: .scalar), name: "compute")
    no.addOutput(no.graph.constant([Float.nan], shape: .scalar), name: "metric")
    for slot in scalars {
      no.addOutput(
        no.graph.constant([Float(slot.initial ?? 0)], shape: .scalar), name: Name(slot.name))
    }
    return (yes.subgraph, no.subgraph)
  }
}

/// What a rule's scalars, and the tensors it keeps once, become after its sites.
struct RuleUpdate {
  /// Adds the updates and declares the state pairs; `computed` says whether the rule's first site
  /// computed, `axes` is the constant [0].
  init(_ state: RuleState, computed: ValueID, axes: ValueID, in graph: inout Graph) throws {
    let late = state.slots.filter { $0.isScalar && ($0.computed != nil || $0.reused != nil) }
    var results = state.updated
    var tensors: [ValueID] = []
    if !late.isEmpty || !state.shared.entries.isEmpty {
      let ready = state.readyAfterSites(in: &graph)
      let (then, other) = try Self.branches(state, late, ready: ready, in: graph)
      var outputs: [ValueID] = []
      for slot in late {
        let value = graph.makeValue(
          Name("ditcache/\(state.rule.name)/\(slot.name)/next"), type: .tensor(.float32, []))
        results[slot.name] = value
        outputs.append(value)
      }
      for entry in state.shared.entries {
        let value = graph.makeValue(
          Name(ContractNames.output(of: entry.name)), type: .tensor(entry.type))
        tensors.append(value)
        outputs.append(value)
      }
      graph.append(
        Node(
          "If", name: Name("ditcache/\(state.rule.name)/update"), inputs: [computed],
          outputs: outputs,
          attributes: [
            Attribute("then_branch", .graph(then)), Attribute("else_branch", .graph(other)),
          ]))
    }
    for slot in state.slots where slot.isScalar {
      guard let input = state.scalarInputs[slot.name], let value = results[slot.name] else {
        continue
      }
      let output = graph.emit(
        "Unsqueeze", [value, axes],
        name: Name(ContractNames.output(of: graph.name(of: input).text)),
        type: .tensor(.float32, [1]))
      Self.pair(input, output, in: &graph)
    }
    for (input, output) in zip(state.sharedInputs, tensors) {
      Self.pair(input, output, in: &graph)
    }
    let yes = graph.constant(
      [true], shape: .vector(1), name: Name("ditcache/\(state.rule.name)/valid/true"))
    let valid = graph.emit(
      "Identity", [yes],
      name: Name(ContractNames.output(of: ContractNames.valid(rule: state.rule.name))),
      type: .tensor(.bool, [1]))
    Self.pair(state.validInput, valid, in: &graph)
  }

  private static func pair(_ input: ValueID, _ output: ValueID, in graph: inout Graph) {
    graph.addOutput(output)
    graph.addStatePair(StatePair(input: input, output: output))
  }

  private static func branches(
    _ state: RuleState, _ scalars: [ScheduleLanguage.Slot], ready: ValueID, in graph: Graph
  ) throws -> (Subgraph, Subgraph) {
    let lowering = state.lowering(ready: ready)
    func branch(
      _ name: String, isReady: Bool, fills: Bool, _ update: (ScheduleLanguage.Slot) -> Expression?
    ) throws -> Subgraph {
      let scope = GraphScope(
        name: Name("\(state.rule.name)/\(name)"), of: graph, isReady: isReady)
      for slot in scalars {
        let current = Expression.updated(slot.name)
        let next = update(slot) ?? current
        let readsTensors = next.slots.contains { name in
          state.slots.contains { $0.name == name && !$0.isScalar }
        }
        let operand =
          readsTensors && !scope.isReady && lowering.isHarmless(next)
          ? lowering.selected(
            scope.outer(ready), try lowering.lower(next, in: scope),
            try lowering.lower(current, in: scope), in: scope)
          : readsTensors && !scope.isReady
            ? try lowering.choice(
              scope.outer(ready), in: scope, isReady: true,
              then: { try lowering.lower(next, in: $0) },
              else: { try lowering.lower(current, in: $0) })
            : try lowering.lower(next, in: scope)
        scope.addOutput(scope.cast(operand.value, to: .float32), name: Name(slot.name))
      }
      for (entry, input) in zip(state.shared.entries, state.sharedInputs) {
        let value: ValueID
        if let next = update(entry.slot) ?? (fills ? scope.asHeld(entry.slot) : nil) {
          var operand = try lowering.lower(next, in: scope)
          if operand.kind != .tensor {
            throw lowering.unsupported("slot '\(entry.slot.name)' as a number")
          }
          operand.value = scope.cast(operand.value, to: entry.type.dataType ?? .float32)
          value = operand.value
        } else {
          value = scope.outer(input)
        }
        scope.addOutput(value, name: Name(entry.slot.name))
      }
      return scope.subgraph
    }
    return (
      try branch("computed", isReady: false, fills: true) { $0.computed },
      try branch("reused", isReady: ready == state.ready, fills: false) { $0.reused }
    )
  }
}
