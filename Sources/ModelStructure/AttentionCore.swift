public import GraphIR

/// Where tokens weigh each other: from the product of queries and keys to the softmax.
public struct AttentionCore: Sendable {
  /// The block or module, for errors.
  public let place: String
  /// The product, what is done to the scores, and the softmax, in execution order; or one
  /// `Attention`.
  public let nodes: [NodeID]
  /// The queries.
  public let queries: ValueID
  /// The keys.
  public let keys: ValueID

  /// Operators that change scores one by one, so that rows stay rows.
  private static let elementwise: Set<OpKey> = [
    "Add", "Cast", "CastLike", "Clip", "Div", "Identity", "Mul", "Sub", "Tanh", "Where",
  ]

  private static let products: Set<OpKey> = [
    "MatMul", OpKey("FusedMatMul", domain: "com.microsoft"),
  ]

  /// Finds the attention of a block among its own tokens.
  public init(of block: Block, in graph: Graph) throws(StructureError) {
    let kinds: Set<Module.Kind> = [.selfAttention, .jointAttention, .parallel]
    let modules = block.modules.filter { kinds.contains($0.kind) }
    guard let module = modules.first(where: { $0.stream == 0 }) ?? modules.first else {
      throw StructureError(
        "no-attention", at: block.name, "the block has no attention among its own tokens")
    }
    try self.init(
      among: Self.nodes(behind: module, of: block, in: graph), in: graph, at: block.name)
  }

  /// Finds the first attention among some nodes in execution order.
  public init(
    among own: [NodeID], in graph: Graph, at place: String
  ) throws(StructureError) {
    let cores = own.filter { ["Softmax", "Attention"].contains(graph[$0].op) }
    guard let core = cores.first else {
      throw StructureError(
        "no-softmax", at: place, "the attention is neither a Softmax nor an Attention of ONNX")
    }
    self.place = place
    if graph[core].op == "Attention" {
      nodes = [core]
    } else {
      guard
        let path = Self.path(to: graph[core].inputs.first ?? nil, among: Set(own), in: graph)
      else {
        throw StructureError(
          "no-score-product", at: place,
          "the softmax does not weigh elementwise changes of one product of queries and keys")
      }
      nodes = path + [core]
    }
    let operands = graph[nodes[0]].inputs
    guard operands.count >= 2, let queries = operands[0], let keys = operands[1] else {
      throw StructureError("no-queries", at: place, "the attention has no two operands")
    }
    self.queries = queries
    self.keys = keys
  }

  /// What the softmax makes: each query's weights of the keys; nil for a whole `Attention`.
  public func weights(in graph: Graph) -> ValueID? {
    guard let last = nodes.last, graph[last].op == "Softmax" else { return nil }
    return graph[last].outputs.first ?? nil
  }

  /// What the weights are multiplied with, over elementwise operators.
  public func values(in graph: Graph, uses: UseIndex) -> ValueID? {
    guard var weights = weights(in: graph) else {
      return graph[nodes[0]].inputs.count > 2 ? graph[nodes[0]].inputs[2] : nil
    }
    for _ in 0..<12 {
      let readers = uses.users(of: weights)
      if let product = readers.first(where: { Self.products.contains(graph[$0].op) }) {
        let operands = graph[product].inputs
        return operands.count == 2 && operands[0] == weights ? operands[1] : nil
      }
      guard
        let next = readers.first(where: {
          Self.elementwise.contains(graph[$0].op) || graph[$0].op == "Dropout"
        }), let output = graph[next].outputs.first, let output
      else { return nil }
      weights = output
    }
    return nil
  }

  /// The nodes of a block that a module's branch is computed by, in execution order.
  private static func nodes(
    behind module: Module, of block: Block, in graph: Graph
  ) -> [NodeID] {
    let inside = Set(block.nodes)
    var found = Set<NodeID>()
    var pending = [module.branch]
    while let value = pending.popLast() {
      guard value != module.input, let producer = graph.producer(of: value),
        inside.contains(producer), found.insert(producer).inserted
      else { continue }
      pending += graph[producer].uses
    }
    return block.nodes.filter(found.contains)
  }

  /// From a softmax back to a product of queries and keys inside the block, over elementwise
  /// operators; the softmax is left out.
  private static func path(
    to value: ValueID?, among own: Set<NodeID>, in graph: Graph, depth: Int = 12
  ) -> [NodeID]? {
    guard depth > 0, let value, let producer = graph.producer(of: value), own.contains(producer)
    else { return nil }
    let node = graph[producer]
    if products.contains(node.op) { return [producer] }
    guard elementwise.contains(node.op) else { return nil }
    for operand in node.inputs {
      if let path = path(to: operand, among: own, in: graph, depth: depth - 1) {
        return path + [producer]
      }
    }
    return nil
  }
}
