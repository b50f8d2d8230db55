import GraphIR

/// Finds the residual branches of one block.
struct ModuleAnalysis {
  let graph: Graph
  let segment: NamedSegments.Segment
  let walk: SpineWalk
  let streams: [Stream]
  let innerNames: [NodeID: String]

  private static let attention: Set<OpKey> = [
    "Softmax", "Attention", OpKey("Attention", domain: "com.microsoft"),
    OpKey("MultiHeadAttention", domain: "com.microsoft"),
  ]
  private static let activations: Set<OpKey> = [
    "Gelu", "Tanh", "Erf", "Relu", OpKey("QuickGelu", domain: "com.microsoft"),
  ]

  /// The branches in execution order.
  func modules() -> [Module] {
    let position = Dictionary(uniqueKeysWithValues: segment.nodes.enumerated().map { ($1, $0) })
    var found: [(order: Int, module: Module)] = []
    var seen = Set<NodeID>()
    for (number, stream) in streams.enumerated() where stream.input != stream.output {
      for addition in walk.walk(from: stream.output).additions
      where seen.insert(addition.node).inserted {
        guard let output = graph[addition.node].outputs.first, let output else { continue }
        let branch = nodes(of: addition)
        let kind = kind(of: branch, from: addition)
        found.append(
          (
            position[addition.node] ?? 0,
            Module(
              kind: kind, name: name(of: branch, kind: kind), stream: number,
              input: addition.spine, output: output,
              branch: addition.branch)
          ))
      }
    }
    return found.sorted { $0.order < $1.order }.map(\.module)
  }

  /// The nodes of a branch: what its value needs, back to the hidden states.
  private func nodes(of addition: SpineWalk.Addition) -> [NodeID] {
    let stops = walk.walk(from: addition.spine).passed.union(streams.map(\.input))
    var result = Set<NodeID>()
    var pending = [addition.branch]
    while let value = pending.popLast() {
      guard !stops.contains(value), let producer = graph.producer(of: value),
        walk.isInside(producer), result.insert(producer).inserted
      else { continue }
      pending += graph[producer].inputs.compactMap { $0 }
    }
    return result.sorted()
  }

  private func kind(of branch: [NodeID], from addition: SpineWalk.Addition) -> Module.Kind {
    let cores = branch.filter { Self.attention.contains(graph[$0].op) }
    guard !cores.isEmpty else { return .mlp }
    if branch.contains(where: { Self.activations.contains(graph[$0].op) }) { return .parallel }
    if readsOutsideKeys(branch, cores: cores) { return .crossAttention }
    return streams.count > 1 ? .jointAttention : .selfAttention
  }

  /// True when a product inside the branch reads something computed outside that is no stream and
  /// feeds an attention core: the projections of foreign keys.
  private func readsOutsideKeys(_ branch: [NodeID], cores: [NodeID]) -> Bool {
    let inputs = Set(streams.map(\.input)).union(
      streams.flatMap { walk.walk(from: $0.output).passed })
    var fromSpine = inputs
    for id in segment.nodes
    where graph[id].inputs.contains(where: { $0.map(fromSpine.contains) ?? false }) {
      fromSpine.formUnion(graph[id].outputs.compactMap { $0 })
    }
    return branch.contains { id in
      guard graph[id].op == "MatMul" || graph[id].op == "Attention" else { return false }
      return graph[id].inputs.prefix(3).contains { value in
        guard let value, !fromSpine.contains(value) else { return false }
        return walk.computes(value)
      }
    }
  }

  /// The name that most of the branch's nodes carry inside the block.
  private func name(of branch: [NodeID], kind: Module.Kind) -> String {
    var counts: [String: Int] = [:]
    for id in branch {
      if let name = innerNames[id], !name.hasPrefix("norm") { counts[name, default: 0] += 1 }
    }
    let best = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }
    return best?.key ?? kind.rawValue
  }
}
