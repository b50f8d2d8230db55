import GraphIR

/// The nodes between the hidden states that enter a range of blocks and those that leave it.
struct BlockRegion {
  /// Nodes that depend on what enters and that what leaves depends on, in execution order.
  let dependent: [NodeID]

  /// A value that is computed inside and read outside, with its reader; nil for the graph's output.
  struct Crossing {
    let value: ValueID
    let reader: NodeID?
  }

  /// The work is that of the execution order from the first value that enters to the last that leaves.
  init(from inputs: [ValueID], to outputs: [ValueID], in graph: Graph, positions: [Int]) {
    func position(_ value: ValueID) -> Int {
      graph.producer(of: value).map { positions[Int($0.index)] } ?? -1
    }
    var values = Set(inputs)
    let limit = inputs.map(position).min() ?? -1
    var found: [Int: NodeID] = [:]
    var pending = outputs
    while let value = pending.popLast() {
      guard !values.contains(value), let producer = graph.producer(of: value) else { continue }
      let place = positions[Int(producer.index)]
      guard place > limit, found.updateValue(producer, forKey: place) == nil else { continue }
      pending += graph[producer].uses
    }
    var dependent: [NodeID] = []
    for (_, id) in found.sorted(by: { $0.key < $1.key })
    where graph[id].uses.contains(where: values.contains) {
      dependent.append(id)
      values.formUnion(graph[id].outputs.compactMap { $0 })
    }
    self.dependent = dependent
  }

  /// Adds the nodes outside that nobody else needs, such as a block's own projection of the timestep.
  ///
  /// `entering` stay outside with all that computes them.
  static func closure(
    of nodes: [NodeID], entering: Set<ValueID>, in graph: Graph, uses: UseIndex
  ) -> Set<NodeID> {
    var result = Set(nodes)
    var needed: [NodeID: Int] = [:]
    var pending = nodes
    while let id = pending.popLast() {
      for producer in Set(graph[id].uses.compactMap(graph.producer(of:)))
      where !result.contains(producer) {
        let results = graph[producer].outputs.compactMap { $0 }
        guard !results.contains(where: { entering.contains($0) || uses.isOutput($0) }) else {
          continue
        }
        let count = needed[producer] ?? Set(results.flatMap(uses.users(of:))).count
        needed[producer] = count - 1
        if count == 1 {
          result.insert(producer)
          pending.append(producer)
        }
      }
    }
    return result
  }

  /// The first value of some nodes that is read outside them, other than those that may leave.
  static func crossing(
    of nodes: [NodeID], inside: Set<NodeID>, leaving: Set<ValueID>, in graph: Graph, uses: UseIndex
  ) -> Crossing? {
    for id in nodes {
      for case .some(let value) in graph[id].outputs where !leaving.contains(value) {
        if uses.isOutput(value) { return Crossing(value: value, reader: nil) }
        if let reader = uses.users(of: value).first(where: { !inside.contains($0) }) {
          return Crossing(value: value, reader: reader)
        }
      }
    }
    return nil
  }
}
