extension Graph {
  /// A graph of its own made of some of the nodes.
  ///
  /// Names, types, origins and the defaults of inputs are kept; of the constants only those that
  /// are read come along.
  ///
  /// - Parameters:
  ///   - name: the new graph's name
  ///   - nodes: nodes of this graph in a topological order
  ///   - inputs: the values that the new graph is given
  ///   - outputs: the values that it hands out
  /// - Returns: the part; it is whole when `inputs`, constants and `nodes` make all that is read
  public func part(
    named name: Name, nodes: [NodeID], inputs: [ValueID], outputs: [ValueID]
  ) -> Graph {
    var part = Graph(name: name, opsets: opsets)
    var copies: [ValueID: ValueID] = [:]
    for value in inputs {
      let copy = part.addInput(self.name(of: value), type: type(of: value))
      if let stored = initializers[value] { part.setInitializer(stored, of: copy) }
      copies[value] = copy
    }
    var read = Set(outputs)
    for id in nodes { read.formUnion(self[id].uses) }
    for value in initializerOrder where copies[value] == nil && read.contains(value) {
      guard let stored = initializers[value] else { continue }
      let copy = part.makeValue(self.name(of: value), type: type(of: value))
      part.setInitializer(stored, of: copy)
      copies[value] = copy
    }
    for id in nodes {
      var node = self[id]
      node.mapUses { copies[$0] ?? $0 }
      node.outputs = node.outputs.map { value in
        guard let value else { return nil }
        let copy = part.makeValue(self.name(of: value), type: type(of: value))
        copies[value] = copy
        return copy
      }
      part.append(node)
    }
    for value in outputs {
      if let copy = copies[value] { part.addOutput(copy) }
    }
    return part
  }

  /// The nodes that outputs depend on, in execution order.
  public func nodes(behind outputs: some Sequence<ValueID>) -> [NodeID] {
    var live = Set(outputs)
    var nodes: [NodeID] = []
    for id in order.reversed() {
      let node = self[id]
      guard node.outputs.contains(where: { $0.map(live.contains) ?? false }) else { continue }
      live.formUnion(node.uses)
      nodes.append(id)
    }
    return nodes.reversed()
  }
}
