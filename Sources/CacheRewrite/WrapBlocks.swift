import CacheContract
public import GraphIR
import ModelStructure
public import Rewrite
import ScheduleLanguage
import Tensors

/// Puts the planned runs of blocks into cache nodes and adds controls, state and reports.
public struct WrapBlocks: Pass {
  /// `wrap-blocks`.
  public let name = "wrap-blocks"

  private let plan: CachePlan
  private let convention: StateConvention
  private let avoidsNestedIf: Bool

  /// A pass that follows a plan made for the same graph.
  ///
  /// With `avoidsNestedIf`, conditions on state of fixed size compute both branches and take one:
  /// OpenVINO 2026.4 takes the wrong branch of an If inside an If.
  public init(_ plan: CachePlan, convention: StateConvention, avoidsNestedIf: Bool = false) {
    self.plan = plan
    self.avoidsNestedIf = avoidsNestedIf
    self.convention = convention
  }

  /// Wraps every site, then orders the graph again.
  public func run(on graph: inout Graph, report: inout PassReport) throws {
    try Self.requireFreeNames(in: graph)
    guard !plan.sites.isEmpty else { return }
    let originalOrder = graph.order
    let controls = Controls(plan, convention: convention, in: &graph)
    var states: [Int: RuleState] = [:]
    var decisions: [Int: RuleDecision] = [:]
    for rule in Set(plan.sites.map(\.rule)).sorted() {
      var state = try RuleState(
        rule, of: plan, controls: controls, convention: convention,
        avoidsNestedIf: avoidsNestedIf, in: &graph)
      decisions[rule] = try RuleDecision(
        &state, plan.schedule.rules[rule], controls: controls, in: &graph)
      states[rule] = state
    }
    var order = Array(graph.order[originalOrder.count...])
    var ends: [NodeID: [NodeID]] = [:]
    var removed = Set<NodeID>()
    var computed: [ValueID] = []
    var counts: [Int: Int] = [:]
    var first: [Int: ValueID] = [:]
    var held = HeldSlots(readBy: plan.schedule.rules.map(\.rule))
    for (number, site) in plan.sites.enumerated() {
      guard var state = states[site.rule], let wanted = decisions[site.rule] else { continue }
      state.held = held
      let emitted = graph.order.count
      let ready = state.ready(site: counts[site.rule, default: 0], in: &graph)
      let decision = decide(number, site, state.rule, wanted.compute, ready, controls, in: &graph)
      let slots = try wrap(site, state, counts[site.rule, default: 0], decision, ready, in: &graph)
      held.add(slots, rule: state.rule.name, site, in: &graph)
      counts[site.rule, default: 0] += 1
      computed.append(decision)
      first[site.rule] = first[site.rule] ?? decision
      if let last = site.nodes.last { ends[last] = Array(graph.order[emitted...]) }
      removed.formUnion(site.nodes)
      report.changed(site.name, "\(site.nodes.count) nodes in a cache node")
    }
    let emitted = graph.order.count
    for (rule, state) in states.sorted(by: { $0.key < $1.key }) {
      guard let decision = first[rule] else { continue }
      _ = try RuleUpdate(state, computed: decision, axes: controls.axes, in: &graph)
    }
    addReports(computed, plan.sites.map { decisions[$0.rule]?.metric }, to: &graph)
    let tail = graph.order[emitted...]
    for id in originalOrder {
      if !removed.contains(id) { order.append(id) }
      order += ends[id] ?? []
    }
    graph.setOrder(order + tail)
    do throws(GraphError) {
      try graph.sortTopologically()
    } catch {
      throw CacheRewriteError(
        "read-before-made", at: error.place,
        "a rule decides by something that only its own sites, or those after them, compute",
        hint: "read a value before the site, or keep one from the last call in a slot",
        category: .badSchedule)
    }
  }

  /// The decision of one site, a bool scalar:
  /// `¬ready ∨ override = compute ∨ (override ≠ reuse ∧ wanted)`.
  private func decide(
    _ number: Int, _ site: CachePlan.Site, _ rule: CacheRule, _ wanted: ValueID,
    _ ready: ValueID, _ controls: Controls, in graph: inout Graph
  ) -> ValueID {
    let place = "ditcache/\(rule.name)/\(site.name)"
    func constant(_ value: Int, _ name: String) -> ValueID {
      graph.constant([Int64(value)], shape: .scalar, name: Name("\(place)/\(name)"))
    }
    func emit(_ op: OpKey, _ inputs: [ValueID?], _ name: String, _ type: DataType = .bool)
      -> ValueID
    {
      graph.emit(op, inputs, name: Name("\(place)/\(name)"), type: .tensor(type, []))
    }
    let index = constant(number, "index")
    let own = emit("Gather", [controls.override, index], "override", .int64)
    let mustCompute = emit("Equal", [own, constant(1, "one")], "must_compute")
    let mustReuse = emit("Equal", [own, constant(2, "two")], "must_reuse")
    let mayCompute = emit("Not", [mustReuse], "may_compute")
    let scheduled = emit("And", [mayCompute, wanted], "scheduled")
    let decision = emit("Or", [mustCompute, scheduled], "wanted")
    return emit("Or", [emit("Not", [ready], "invalid"), decision], "compute")
  }

  /// Adds the cache node of one site; returns its slots and what they hold afterwards.
  private func wrap(
    _ site: CachePlan.Site, _ state: RuleState, _ number: Int, _ decision: ValueID,
    _ ready: ValueID, in graph: inout Graph
  ) throws -> [(entry: SlotLayout.Entry, value: ValueID)] {
    let entries = state.local[number].entries
    let bodies = SiteBodies(graph: graph, state: state, number: number, ready: ready)
    let cache = CacheNode(
      rule: state.rule.name, site: site.name, streamCount: site.streams.count,
      body: try bodies.body(), reuse: try bodies.reuse(),
      slots: entries.map { GraphIR.Slot(name: $0.name, type: $0.type) })
    for id in site.nodes { graph.detach(id) }
    let outputs = entries.map { entry in
      graph.makeValue(Name(ContractNames.output(of: entry.name)), type: .tensor(entry.type))
    }
    graph.append(
      Node(
        .cache, name: Name("ditcache/\(state.rule.name)/\(site.name)"), inputs: [decision],
        outputs: site.streams.map(\.output) + outputs, cache: cache))
    for (input, output) in zip(state.localInputs[number], outputs) {
      graph.addOutput(output)
      graph.addStatePair(StatePair(input: input, output: output))
    }
    return Array(zip(entries, outputs)).map { (entry: $0, value: $1) }
  }

  /// Adds what each site did and, where a rule has a metric, what it compared.
  private func addReports(
    _ decisions: [ValueID], _ metrics: [ValueID?], to graph: inout Graph
  ) {
    let shape = graph.constant([Int64(1)], shape: .vector(1), name: "ditcache/constant/one_element")
    func report(_ values: [ValueID], _ name: String, _ type: DataType) {
      let elements = values.enumerated().map { number, value in
        graph.emit(
          "Reshape", [value, shape], name: Name("\(name)/\(number)"), type: .tensor(type, [1]))
      }
      graph.addOutput(
        graph.emit(
          "Concat", elements, [Attribute("axis", .int(0))], name: Name(name),
          type: .tensor(type, [Dimension(elements.count)])))
    }
    report(decisions, ContractNames.computed, .bool)
    guard metrics.contains(where: { $0 != nil }) else { return }
    let none = graph.constant([Float.nan], shape: .scalar, name: "ditcache/constant/no_metric")
    report(metrics.map { $0 ?? none }, ContractNames.metric, .float32)
  }

  /// Refuses a graph that is cached already or too old for what will be written.
  static func requireFreeNames(in graph: Graph) throws(CacheRewriteError) {
    let prefix = Array(ContractNames.prefix.utf8)
    let taken = (graph.inputs + graph.outputs).first {
      graph.name(of: $0).bytes.starts(with: prefix)
    }
    if let taken {
      throw CacheRewriteError(
        "already-cached", at: "'\(graph.name(of: taken))'", "the model is cached already",
        hint: "`ditcache unwrap` gives the original back", category: .badModel)
    }
    guard graph.opset >= 13 else {
      throw CacheRewriteError(
        "old-opset", at: "graph '\(graph.name)'",
        "cache nodes need opset 13 or later, the model imports \(graph.opset)",
        hint: "export the model again with a newer opset")
    }
  }
}
