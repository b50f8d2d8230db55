public import GraphIR
import ModelStructure
import Tensors

/// The form `function`: as `if`, with each block a call of a model-local function.
///
/// Blocks that compute the same share a function; weights are operands, because functions cannot
/// capture. A block stays as it is when a site cuts it, when something in its middle leaves it and
/// comes back, or when it holds graphs of its own.
struct FunctionForm {
  /// The domain of the functions.
  static let domain = "ditcache"

  private let blocks: [Member]
  private(set) var functions: [LocalFunction] = []
  private var known: [Key: OpKey] = [:]
  private var counts: [String: Int] = [:]

  /// One block by the names of what its nodes compute, which a rewrite keeps.
  struct Member: Sendable {
    let name: String
    let family: String
    let results: Set<Name>

    init(_ block: Block, in graph: Graph) {
      name = block.name
      family = block.family
      results = Set(block.nodes.compactMap { Self.result(of: graph[$0], in: graph) })
    }

    static func result(of node: Node, in graph: Graph) -> Name? {
      node.outputs.compactMap { $0 }.first.map { value in
        let name = graph.name(of: value)
        let suffix = Array("/computed".utf8)
        return name.bytes.suffix(suffix.count).elementsEqual(suffix)
          ? Name(bytes: Array(name.bytes.dropLast(suffix.count))) : name
      }
    }
  }

  /// What makes two blocks the same.
  private struct Key: Hashable {
    let text: String
    let constants: [[UInt8]]
  }

  init(blocks: [Member]) {
    self.blocks = blocks
  }

  /// Replaces blocks in a lowered graph and in the branches of its `If`s.
  mutating func rewrite(_ graph: Graph) throws -> Graph {
    var graph = graph
    var owner: [Name: Int] = [:]
    for (number, block) in blocks.enumerated() {
      for name in block.results { owner[name] = number }
    }
    for id in graph.order where graph[id].origin == nil {
      var node = graph[id]
      var isChanged = false
      for position in node.attributes.indices {
        guard case .graph(var subgraph) = node.attributes[position].value else { continue }
        let inner = try replaceBlocks(in: subgraph.graph, owner)
        subgraph.graph = inner
        node.attributes[position].value = .graph(subgraph)
        isChanged = true
      }
      if isChanged { graph.replace(id, with: node) }
    }
    graph = try replaceBlocks(in: graph, owner)
    if !functions.isEmpty { graph.opsets[Self.domain] = 1 }
    return graph
  }

  private mutating func replaceBlocks(in graph: Graph, _ owner: [Name: Int]) throws -> Graph {
    var members: [Int: [NodeID]] = [:]
    for id in graph.order {
      guard let name = Member.result(of: graph[id], in: graph), let block = owner[name] else {
        continue
      }
      members[block, default: []].append(id)
    }
    let uses = UseIndex(graph)
    let positions = graph.orderPositions()
    var calls: [NodeID: Node] = [:]
    var removed: Set<NodeID> = []
    for (number, nodes) in members.sorted(by: { $0.key < $1.key })
    where nodes.count == blocks[number].results.count {
      guard isConvex(nodes, in: graph, positions), let last = nodes.last,
        let call = try call(blocks[number], nodes, uses, in: graph)
      else { continue }
      calls[last] = call
      removed.formUnion(nodes)
    }
    var result = graph
    for id in removed { result.detach(id) }
    var order: [NodeID] = []
    for id in graph.order {
      if let call = calls[id] { order.append(result.add(call)) }
      if !removed.contains(id) { order.append(id) }
    }
    result.setOrder(order)
    try result.sortTopologically()
    return result
  }

  /// False when a path leaves the nodes and comes back.
  private func isConvex(_ nodes: [NodeID], in graph: Graph, _ positions: [Int]) -> Bool {
    guard let first = nodes.first, let last = nodes.last else { return false }
    let own = Set(nodes)
    let (begin, end) = (positions[Int(first.index)], positions[Int(last.index)])
    var made: Set<ValueID> = []
    var left: Set<ValueID> = []
    for id in graph.order[begin...end] {
      let uses = graph[id].uses
      if own.contains(id) {
        guard !uses.contains(where: left.contains) else { return false }
        made.formUnion(graph[id].outputs.compactMap { $0 })
      } else if uses.contains(where: { made.contains($0) || left.contains($0) }) {
        left.formUnion(graph[id].outputs.compactMap { $0 })
      }
    }
    return true
  }

  /// The call that stands for a block; nil when it cannot be a function.
  private mutating func call(
    _ block: Member, _ nodes: [NodeID], _ uses: UseIndex, in graph: Graph
  ) throws -> Node? {
    let own = Set(nodes)
    var body = Graph(name: Name(block.family), opsets: graph.opsets)
    var map: [ValueID: ValueID] = [:]
    var operands: [ValueID] = []
    var results: [ValueID] = []
    var constants: [[UInt8]] = []
    for id in nodes {
      var node = graph[id]
      for attribute in node.attributes {
        switch attribute.value {
        case .graph, .opaque: return nil
        case .tensor(let stored):
          let tensor = try stored.load().contiguous()
          constants.append(
            withExtendedLifetime(tensor) {
              Array(UnsafeRawBufferPointer(start: tensor.base, count: tensor.byteCount))
            })
        default: continue
        }
      }
      for value in node.uses where map[value] == nil {
        map[value] = body.addInput(Name("operand_\(operands.count)"), type: .unknown)
        operands.append(value)
      }
      node.mapUses { map[$0] ?? $0 }
      for case .some(let value) in node.outputs {
        map[value] = body.makeValue(Name("value_\(body.valueCount)"))
        let isRead = uses.isOutput(value) || uses.users(of: value).contains { !own.contains($0) }
        if isRead { results.append(value) }
      }
      node.outputs = node.outputs.map { $0.flatMap { map[$0] } }
      node.origin = nil
      node.name = ""
      node.scopes = []
      body.append(node)
    }
    for value in results { if let inner = map[value] { body.addOutput(inner) } }
    let op = function(block.family, body, Key(text: body.text(), constants: constants))
    return Node(
      op, name: Name(block.name), inputs: operands, outputs: results.map { $0 })
  }

  private mutating func function(_ family: String, _ body: Graph, _ key: Key) -> OpKey {
    if let op = known[key] { return op }
    counts[family, default: 0] += 1
    let number = counts[family] ?? 1
    let op = OpKey(number == 1 ? family : "\(family)_\(number)", domain: Self.domain)
    known[key] = op
    functions.append(LocalFunction(op, body: body))
    return op
  }
}

extension CachedGraph {
  /// The graph with its blocks as calls, and the functions that they call.
  public func withFunctions() throws -> (graph: Graph, functions: [LocalFunction]) {
    var form = FunctionForm(blocks: wrapped.blocks)
    let graph = try form.rewrite(graph)
    return (graph, form.functions)
  }
}
