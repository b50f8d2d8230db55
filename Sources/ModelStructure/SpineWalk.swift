import GraphIR

/// Follows hidden states backwards through residual additions and operators that only move data.
struct SpineWalk {
  let graph: Graph
  let isInside: (NodeID) -> Bool
  /// Nodes inside that depend on a matrix product inside.
  private let computing: Set<NodeID>

  private static let moving: Set<OpKey> = [
    "Add", "Cast", "CastLike", "Concat", "Gather", "Identity", "Reshape", "SequenceAt", "Slice",
    "Split", "SplitToSequence", "Squeeze", "Transpose", "Unsqueeze",
  ]
  private static let products: Set<OpKey> = [
    "Attention", "Conv", "Einsum", "Gemm", "MatMul",
    OpKey("Attention", domain: "com.microsoft"), OpKey("FusedMatMul", domain: "com.microsoft"),
    OpKey("MultiHeadAttention", domain: "com.microsoft"),
  ]

  /// A walk inside the given nodes, listed in execution order.
  init(_ graph: Graph, inside nodes: [NodeID]) {
    self.graph = graph
    let members = Set(nodes)
    isInside = members.contains
    var computing = Set<NodeID>()
    for id in nodes {
      let node = graph[id]
      let follows = node.inputs.contains { value in
        value.flatMap(graph.producer(of:)).map(computing.contains) ?? false
      }
      if follows || Self.products.contains(node.op) { computing.insert(id) }
    }
    self.computing = computing
  }

  /// An addition on the spine.
  struct Addition: Hashable {
    let node: NodeID
    let spine: ValueID
    let branch: ValueID
  }

  struct Result {
    /// Computed values from outside that the walk arrived at, in operand order.
    var sources: [ValueID] = []
    /// Every value passed on the way, the start included.
    var passed: Set<ValueID> = []
    /// Additions of a computed branch, last one first.
    var additions: [Addition] = []
  }

  /// Walks back from a value computed inside.
  func walk(from start: ValueID) -> Result {
    let reaching = valuesReachingOutside(from: start)
    var result = Result()
    var pending = [start]
    while let value = pending.popLast() {
      guard reaching.contains(value), result.passed.insert(value).inserted else { continue }
      guard let producer = graph.producer(of: value), isInside(producer) else {
        result.sources.append(value)
        continue
      }
      let operands = spineOperands(of: producer)
      if graph[producer].op == "Add", operands.count == 2 {
        for (spine, branch) in [(operands[0], operands[1]), (operands[1], operands[0])]
        where reaching.contains(spine) && computes(branch) {
          result.additions.append(Addition(node: producer, spine: spine, branch: branch))
        }
      }
      pending += operands.reversed()
    }
    return result
  }

  func computes(_ value: ValueID) -> Bool {
    graph.producer(of: value).map(computing.contains) ?? false
  }

  /// Data operands of a moving operator; nothing for others.
  private func spineOperands(of id: NodeID) -> [ValueID] {
    let node = graph[id]
    guard Self.moving.contains(node.op) else { return [] }
    let count = node.op == "Add" ? 2 : node.op == "Concat" ? node.inputs.count : 1
    return node.inputs.prefix(count).compactMap { $0 }
  }

  /// Values from which moving operators lead to a computed value outside.
  private func valuesReachingOutside(from start: ValueID) -> Set<ValueID> {
    var reaching = Set<ValueID>()
    var visited = Set<ValueID>()
    var pending: [(value: ValueID, isDone: Bool)] = [(start, false)]
    while let (value, isDone) = pending.popLast() {
      guard let producer = graph.producer(of: value) else { continue }
      guard isInside(producer) else {
        reaching.insert(value)
        continue
      }
      let operands = spineOperands(of: producer)
      if isDone {
        if operands.contains(where: reaching.contains) { reaching.insert(value) }
      } else if visited.insert(value).inserted {
        pending.append((value, true))
        pending += operands.map { ($0, false) }
      }
    }
    return reaching
  }
}
