import GraphIR

/// Groups of nodes that the exporter's names put into the same element of a numbered list.
struct NamedSegments {
  struct Segment {
    let family: String
    let index: Int
    /// In execution order.
    var nodes: [NodeID] = []
  }

  /// Ordered by first execution.
  private(set) var segments: [Segment] = []

  /// The segment of each node, by node index; -1 for none.
  private(set) var membership: [Int]

  /// What follows the list element in a node's path, by node index.
  private(set) var innerNames: [NodeID: String] = [:]

  init(_ graph: Graph, uses: UseIndex) {
    membership = [Int](repeating: -1, count: graph.nodeCapacity)
    var numbers: [String: Int] = [:]
    var rootNodes: [NodeID] = []
    for id in graph.order {
      let path = ModulePath(of: graph[id])
      guard let element = path.listElement else {
        if path.isRoot { rootNodes.append(id) }
        continue
      }
      let name = "\(element.family).\(element.index)"
      let number = numbers[name, default: segments.count]
      if number == segments.count {
        numbers[name] = number
        segments.append(Segment(family: element.family, index: element.index))
      }
      membership[Int(id.index)] = number
      if let inner = element.rest.first { innerNames[id] = String(inner) }
    }
    adopt(rootNodes, in: graph, uses: uses)
    for id in graph.order {
      let number = membership[Int(id.index)]
      if number >= 0 { segments[number].nodes.append(id) }
    }
  }

  /// A node of the model itself belongs to a segment when it stands between nodes of that segment
  /// and nobody else reads it.
  private mutating func adopt(_ nodes: [NodeID], in graph: Graph, uses: UseIndex) {
    for id in nodes.reversed() {
      let results = graph[id].outputs.compactMap { $0 }
      guard !results.contains(where: uses.isOutput) else { continue }
      let readers = Set(results.flatMap(uses.users(of:)).map { membership[Int($0.index)] })
      if readers.count == 1, let reader = readers.first { membership[Int(id.index)] = reader }
    }
    for id in nodes {
      let segment = membership[Int(id.index)]
      let follows = graph[id].uses.contains { value in
        graph.producer(of: value).map { membership[Int($0.index)] == segment } ?? false
      }
      if !follows { membership[Int(id.index)] = -1 }
    }
  }

  func segment(of node: NodeID) -> Int? {
    let number = membership[Int(node.index)]
    return number >= 0 ? number : nil
  }
}
