import GraphIR
import ModelStructure

/// Where a block weighs its own tokens: from the product of queries and keys to the softmax.
struct AttentionCore {
  /// The block's name.
  let block: String
  /// The product, what is done to the scores, and the softmax, in execution order; or one
  /// `Attention`.
  let nodes: [NodeID]
  /// The queries.
  let queries: ValueID
  /// The keys.
  let keys: ValueID

  /// Operators that change scores one by one, so that rows stay rows.
  private static let elementwise: Set<OpKey> = [
    "Add", "Cast", "CastLike", "Clip", "Div", "Identity", "Mul", "Sub", "Tanh", "Where",
  ]

  private static let products: Set<OpKey> = [
    "MatMul", OpKey("FusedMatMul", domain: "com.microsoft"),
  ]

  /// Finds the attention of a block among its own tokens.
  init(of block: Block, in graph: Graph) throws(ProfilingError) {
    let kinds: Set<Module.Kind> = [.selfAttention, .jointAttention, .parallel]
    let modules = block.modules.filter { kinds.contains($0.kind) }
    guard let module = modules.first(where: { $0.stream == 0 }) ?? modules.first else {
      throw ProfilingError(
        "no-attention", at: block.name, "the block has no attention among its own tokens")
    }
    let own = Self.nodes(behind: module, of: block, in: graph)
    let cores = own.filter { ["Softmax", "Attention"].contains(graph[$0].op) }
    guard let core = cores.first else {
      throw ProfilingError(
        "no-softmax", at: block.name,
        "the attention is neither a Softmax nor an Attention of ONNX")
    }
    self.block = block.name
    if graph[core].op == "Attention" {
      nodes = [core]
    } else {
      guard
        let path = Self.path(to: graph[core].inputs.first ?? nil, among: Set(own), in: graph)
      else {
        throw ProfilingError(
          "no-score-product", at: block.name,
          "the softmax does not weigh elementwise changes of one product of queries and keys")
      }
      nodes = path + [core]
    }
    let operands = graph[nodes[0]].inputs
    guard operands.count >= 2, let queries = operands[0], let keys = operands[1] else {
      throw ProfilingError("no-queries", at: block.name, "the attention has no two operands")
    }
    self.queries = queries
    self.keys = keys
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
