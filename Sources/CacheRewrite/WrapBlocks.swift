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

  /// A pass that follows a plan made for the same graph.
  public init(_ plan: CachePlan, convention: StateConvention) {
    self.plan = plan
    self.convention = convention
  }

  /// Wraps every site, then orders the graph again.
  public func run(on graph: inout Graph, report: inout PassReport) throws {
    try requireFreeNames(in: graph)
    let originalOrder = graph.order
    let rules = Set(plan.sites.map(\.rule))
    var decisions = Decisions(convention: convention, siteCount: plan.sites.count)
    let validity = decisions.declare(plan.schedule, rules: rules, in: &graph)
    var order = Array(graph.order[originalOrder.count...])
    var ends: [NodeID: [NodeID]] = [:]
    var removed = Set<NodeID>()
    var computed: [ValueID] = []
    for (number, site) in plan.sites.enumerated() {
      let emitted = graph.order.count
      let decision = try wrap(number, site, decisions: decisions, in: &graph)
      computed.append(decision)
      if let last = site.run.nodes.last { ends[last] = Array(graph.order[emitted...]) }
      removed.formUnion(site.run.nodes)
      report.changed(site.name, "\(site.run.nodes.count) nodes in a cache node")
    }
    let emitted = graph.order.count
    addReport(of: computed, to: &graph)
    let tail = graph.order[emitted...]
    for id in originalOrder {
      if !removed.contains(id) { order.append(id) }
      order += ends[id] ?? []
    }
    graph.setOrder(order + tail)
    try graph.sortTopologically()
    for pair in validity {
      graph.addOutput(pair.output)
      graph.addStatePair(StatePair(input: pair.input, output: pair.output))
    }
  }

  /// Adds the slots, the decision and the cache node of one site; returns the decision.
  private func wrap(
    _ number: Int, _ site: CachePlan.Site, decisions: Decisions, in graph: inout Graph
  ) throws(CacheRewriteError) -> ValueID {
    let rule = plan.schedule.rules[site.rule].rule
    let layout = try SlotLayout(site, rule: rule, in: graph, convention: convention)
    var inputs: [ValueID] = []
    for entry in layout.entries {
      let input = graph.addInput(Name(entry.name), type: .tensor(entry.type))
      if convention == .optional, let empty = entry.type.emptyDefault {
        graph.setInitializer(empty, of: input)
      }
      inputs.append(input)
    }
    let streams = layout.entries.map { site.run.streams[$0.stream].input }
    let decision = try decisions.decide(
      number, site, rule: rule, slots: Array(zip(inputs, streams).map { ($0, $1) }), in: &graph)
    let bodies = SiteBodies(
      graph: graph, site: site, rule: rule, layout: layout, slotInputs: inputs)
    let cache = CacheNode(
      rule: rule.name, site: site.name, streamCount: site.run.streams.count,
      body: try bodies.body(), reuse: try bodies.reuse(),
      slots: layout.entries.map { GraphIR.Slot(name: $0.name, type: $0.type) })
    for id in site.run.nodes { graph.detach(id) }
    let outputs = layout.entries.map { entry in
      graph.makeValue(Name(ContractNames.output(of: entry.name)), type: .tensor(entry.type))
    }
    graph.append(
      Node(
        .cache, name: Name("ditcache/\(rule.name)/\(site.name)"), inputs: [decision],
        outputs: site.run.streams.map(\.output) + outputs, cache: cache))
    for (input, output) in zip(inputs, outputs) {
      graph.addOutput(output)
      graph.addStatePair(StatePair(input: input, output: output))
    }
    return decision
  }

  private func addReport(of decisions: [ValueID], to graph: inout Graph) {
    let shape = graph.constant([Int64(1)], shape: .vector(1), name: "ditcache/constant/one_element")
    let flags = decisions.enumerated().map { number, decision in
      graph.emit(
        "Reshape", [decision, shape], name: Name("ditcache/computed/\(number)"),
        type: .tensor(.bool, [1]))
    }
    let report = graph.emit(
      "Concat", flags, [Attribute("axis", .int(0))], name: Name(ContractNames.computed),
      type: .tensor(.bool, [Dimension(flags.count)]))
    graph.addOutput(report)
  }

  private func requireFreeNames(in graph: Graph) throws(CacheRewriteError) {
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
