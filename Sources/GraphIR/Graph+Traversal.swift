/// Who reads each value of one graph.
public struct UseIndex: Sendable {
  private let users: [[NodeID]]
  private let outputUses: Set<ValueID>

  /// The readers in `graph` as it is now; captures of subgraphs count as reads.
  public init(_ graph: Graph) {
    var users = [[NodeID]](repeating: [], count: graph.valueCount)
    for id in graph.order {
      for value in graph[id].uses where users[Int(value.index)].last != id {
        users[Int(value.index)].append(id)
      }
    }
    self.users = users
    outputUses = Set(graph.outputs)
  }

  /// The nodes that read a value, in execution order.
  public func users(of value: ValueID) -> [NodeID] { users[Int(value.index)] }

  /// True when the value is handed to the caller.
  public func isOutput(_ value: ValueID) -> Bool { outputUses.contains(value) }

  /// True when nothing reads the value.
  public func isUnused(_ value: ValueID) -> Bool {
    users(of: value).isEmpty && !isOutput(value)
  }
}

extension Graph {
  /// Calls `body` with every graph inside this one, itself first, without recursion.
  public func forEachGraph(_ body: (Graph) throws -> Void) rethrows {
    var pending = [self]
    while let graph = pending.popLast() {
      try body(graph)
      for id in graph.order.reversed() {
        for subgraph in graph[id].subgraphs.reversed() { pending.append(subgraph.graph) }
      }
    }
  }

  /// How often each operator occurs, subgraphs included.
  public func operatorCounts() -> [OpKey: Int] {
    var counts: [OpKey: Int] = [:]
    forEachGraph { graph in
      for id in graph.order { counts[graph[id].op, default: 0] += 1 }
    }
    return counts
  }

  /// The position of each living node in the order; -1 for removed ones.
  public func orderPositions() -> [Int] {
    var positions = [Int](repeating: -1, count: nodeCapacity)
    for (position, id) in order.enumerated() { positions[Int(id.index)] = position }
    return positions
  }

  /// Puts the living nodes into a topological order, keeping the present order where it is valid.
  ///
  /// Throws when the nodes form a cycle.
  public mutating func sortTopologically() throws(GraphError) {
    let position = orderPositions()
    var pending = [Int](repeating: 0, count: nodeCapacity)
    var readers = [[NodeID]](repeating: [], count: nodeCapacity)
    for id in order {
      let sources = Set(self[id].uses.compactMap { producer(of: $0) })
      pending[Int(id.index)] = sources.count
      for source in sources { readers[Int(source.index)].append(id) }
    }
    var ready = Heap(order.filter { pending[Int($0.index)] == 0 }.map { position[Int($0.index)] })
    var sorted: [NodeID] = []
    sorted.reserveCapacity(order.count)
    while let next = ready.popSmallest() {
      let id = order[next]
      sorted.append(id)
      for reader in readers[Int(id.index)] {
        pending[Int(reader.index)] -= 1
        if pending[Int(reader.index)] == 0 { ready.insert(position[Int(reader.index)]) }
      }
    }
    guard sorted.count == order.count else {
      let stuck = order.first { pending[Int($0.index)] > 0 }
      throw GraphError(
        "cyclic-graph", at: stuck.map(label(of:)) ?? "graph '\(name)'",
        "\(order.count - sorted.count) nodes depend on each other in a circle")
    }
    setOrder(sorted)
  }
}

/// A binary min-heap of integers.
private struct Heap {
  private var items: [Int] = []

  init(_ items: [Int]) {
    self.items = items.sorted()
  }

  mutating func insert(_ item: Int) {
    items.append(item)
    var child = items.count - 1
    while child > 0, items[(child - 1) / 2] > items[child] {
      items.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func popSmallest() -> Int? {
    guard let smallest = items.first else { return nil }
    let last = items.removeLast()
    guard !items.isEmpty else { return smallest }
    items[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < items.count && items[child] < items[least] {
        least = child
      }
      if least == parent { return smallest }
      items.swapAt(parent, least)
      parent = least
    }
  }
}
