import CacheContract
import GraphIR
import ModelStructure
import ScheduleLanguage
import Tensors

/// Builds the two subgraphs of one cache node.
struct SiteBodies {
  let graph: Graph
  let state: RuleState
  /// The site's number among those of its rule.
  let number: Int
  /// Whether its slots hold something.
  let ready: ValueID

  private var site: CachePlan.Site { state.sites[number] }
  private var layout: SlotLayout { state.local[number] }
  private var inputs: [ValueID] { state.localInputs[number] }

  /// The original nodes, then what fills the slots.
  func body() throws -> Subgraph {
    let scope = GraphScope(name: Name("\(site.name)/compute"), of: graph)
    let exits = Set(site.streams.map(\.output))
    for id in site.nodes {
      scope.move(graph[id], from: graph) { value in
        exits.contains(value)
          ? Name(bytes: graph.name(of: value).bytes + Array("/computed".utf8)) : nil
      }
    }
    for stream in site.streams {
      let output = scope.outer(stream.output)
      scope.addOutput(output, name: Name("\(site.name)/output"))
    }
    try fill(scope, suffix: "computed") { $0.computed }
    return scope.subgraph
  }

  /// What stands in for the site.
  func reuse() throws -> Subgraph {
    let scope = GraphScope(name: Name("\(site.name)/reuse"), of: graph, isReady: true)
    var known: [Int: [Expression: Operand]] = [:]
    for (position, stream) in site.streams.enumerated() {
      let lowering = state.lowering(site: (number, position), ready: ready)
      scope.known = [:]
      var operand = try lowering.lower(state.rule.reuse.value, in: scope)
      let type = graph.tensorType(of: stream.output) ?? TensorType(nil, nil)
      if operand.kind != .tensor {
        operand = try lowering.spread(
          operand, like: type, in: scope, reference: scope.outer(stream.input))
      }
      let name = Name(bytes: graph.name(of: stream.output).bytes + Array("/reused".utf8))
      let value = type.dataType.map { scope.cast(operand.value, to: $0) } ?? operand.value
      scope.addOutput(value, name: name)
      known[position] = scope.known
    }
    try fill(scope, suffix: "reused", known: known) { $0.reused }
    return scope.subgraph
  }

  /// The new contents of the slots.
  ///
  /// What has no update is handed on; where the slots may hold nothing yet, as what they read as
  /// then, because an empty one would never be taken for filled.
  private func fill(
    _ scope: GraphScope, suffix: String, known: [Int: [Expression: Operand]] = [:],
    _ update: (ScheduleLanguage.Slot) -> Expression?
  ) throws {
    var stream: Int?
    for (entry, input) in zip(layout.entries, inputs) {
      let name = Name("\(entry.name)/\(suffix)")
      let own = entry.stream ?? 0
      if own != stream { scope.known = known[own] ?? [:] }
      stream = own
      guard let next = update(entry.slot) ?? scope.asHeld(entry.slot) else {
        scope.addOutput(scope.outer(input), name: name)
        continue
      }
      let lowering = state.lowering(site: (number, own), ready: ready)
      var operand = try lowering.lower(next, in: scope)
      if operand.kind != .tensor {
        let output = try lowering.lower(.site(.output), in: scope).value
        operand = try lowering.spread(
          operand, like: entry.type, in: scope,
          reference: entry.slot.isPerToken ? scope.firstChannel(of: output) : output)
      }
      scope.addOutput(
        scope.cast(operand.value, to: entry.type.dataType ?? .float32), name: name)
    }
  }
}
