import CacheContract
import GraphIR
import ModelStructure
import ScheduleLanguage
import Tensors

/// Builds the two subgraphs of one cache node.
struct SiteBodies {
  let graph: Graph
  let site: CachePlan.Site
  let rule: CacheRule
  let layout: SlotLayout
  /// The graph inputs that bring the slots, parallel to `layout.entries`.
  let slotInputs: [ValueID]

  /// The original nodes, then what fills the slots.
  func body() throws(CacheRewriteError) -> Subgraph {
    var builder = SubgraphBuilder(name: Name("\(site.name)/compute"), outer: graph)
    let exits = Set(site.run.streams.map(\.output))
    for id in site.run.nodes {
      builder.move(graph[id]) { value in
        exits.contains(value)
          ? Name(bytes: graph.name(of: value).bytes + Array("/computed".utf8)) : nil
      }
    }
    for stream in site.run.streams { builder.graph.addOutput(builder.inner(stream.output)) }
    for entry in layout.entries {
      let stream = site.run.streams[entry.stream]
      let type = builder.type(of: stream.output)
      let expression = TensorExpression(
        input: builder.inner(stream.input), output: builder.inner(stream.output), slots: [:],
        type: type)
      let name = Name("\(entry.name)/computed")
      var value = try expression.lower(entry.slot.update, into: &builder.graph, name: name)
      if entry.type.dataType != type.dataType { value = builder.cast(value, to: entry.type) }
      builder.graph.addOutput(builder.graph.isOwned(value) ? value : builder.identity(value, name))
    }
    return builder.subgraph
  }

  /// What stands in for the site.
  func reuse() throws(CacheRewriteError) -> Subgraph {
    var builder = SubgraphBuilder(name: Name("\(site.name)/reuse"), outer: graph)
    for (number, stream) in site.run.streams.enumerated() {
      let type = builder.type(of: stream.output)
      var slots: [String: ValueID] = [:]
      for (entry, input) in zip(layout.entries, slotInputs) where entry.stream == number {
        let held = builder.inner(input)
        slots[entry.slot.name] =
          entry.type.dataType == type.dataType
          ? held : builder.cast(held, to: TensorType(type.dataType, entry.type.shape))
      }
      let expression = TensorExpression(
        input: builder.inner(stream.input), output: nil, slots: slots, type: type)
      let name = Name(bytes: graph.name(of: stream.output).bytes + Array("/reused".utf8))
      let value = try expression.lower(rule.reuse.value, into: &builder.graph, name: name)
      builder.graph.addOutput(builder.graph.isOwned(value) ? value : builder.identity(value, name))
    }
    for (entry, input) in zip(layout.entries, slotInputs) {
      builder.graph.addOutput(builder.identity(builder.inner(input), Name("\(entry.name)/reused")))
    }
    return builder.subgraph
  }
}

/// A subgraph under construction that captures outer values as they are asked for.
private struct SubgraphBuilder {
  var graph: Graph
  let outer: Graph
  private var captured: [ValueID] = []
  private var mapping: [ValueID: ValueID] = [:]

  init(name: Name, outer: Graph) {
    graph = Graph(name: name, opsets: outer.opsets)
    self.outer = outer
  }

  var subgraph: Subgraph { Subgraph(graph: graph, captures: captured) }

  /// The inner value that stands for an outer one.
  mutating func inner(_ value: ValueID) -> ValueID {
    if let known = mapping[value] { return known }
    let capture = graph.addCapture(outer.name(of: value), type: outer.type(of: value))
    captured.append(value)
    mapping[value] = capture
    return capture
  }

  func type(of value: ValueID) -> TensorType {
    outer.tensorType(of: value) ?? TensorType(nil, nil)
  }

  /// Copies a node of the outer graph; results keep their names unless `rename` says otherwise.
  mutating func move(_ node: Node, rename: (ValueID) -> Name?) {
    var node = node
    var operands: [ValueID: ValueID] = [:]
    for value in node.uses { operands[value] = inner(value) }
    node.mapUses { operands[$0] ?? $0 }
    node.outputs = node.outputs.map { value in
      guard let value else { return nil }
      let result = graph.makeValue(
        rename(value) ?? outer.name(of: value), type: outer.type(of: value))
      mapping[value] = result
      return result
    }
    graph.append(node)
  }

  mutating func cast(_ value: ValueID, to type: TensorType) -> ValueID {
    graph.emit(
      "Cast", [value], [Attribute("to", .int(Int(type.dataType?.rawValue ?? 1)))],
      name: Name(bytes: graph.name(of: value).bytes + Array("/cast".utf8)), type: .tensor(type))
  }

  mutating func identity(_ value: ValueID, _ name: Name) -> ValueID {
    graph.emit("Identity", [value], name: name, type: graph.type(of: value))
  }
}

extension Graph {
  /// True for a value that a node of this graph computes; branches may only return such.
  fileprivate func isOwned(_ value: ValueID) -> Bool { producer(of: value) != nil }
}
