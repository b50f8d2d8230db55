extension Graph {
  /// Checks the rules that every pass must keep, in this graph and all graphs inside it.
  ///
  /// Throws the first broken rule: an order that does not define before use, a value with two
  /// producers, an output or state pair that nothing defines, a subgraph that captures what its
  /// surroundings do not have, a cache node whose bodies disagree.
  public func verify() throws(GraphError) {
    var pending = [self]
    while let graph = pending.popLast() {
      try graph.verifyOneLevel()
      for id in graph.order {
        for subgraph in graph[id].subgraphs { pending.append(subgraph.graph) }
      }
    }
  }

  private func verifyOneLevel() throws(GraphError) {
    var defined = [Bool](repeating: false, count: valueCount)
    for value in inputs + captures + initializerOrder { defined[Int(value.index)] = true }
    for value in inputs + captures where producer(of: value) != nil {
      throw GraphError(
        "assigned-twice", at: place(value), "an input or capture is also computed by a node")
    }
    guard Set(order).count == order.count else {
      throw GraphError("bad-order", at: "graph '\(name)'", "the order lists a node twice")
    }
    for id in order {
      guard contains(id) else {
        throw GraphError("bad-order", at: "graph '\(name)'", "the order lists a removed node")
      }
      try verify(id, defined: &defined)
    }
    for output in outputs where !defined[Int(output.index)] {
      throw GraphError("undefined-output", at: place(output), "nothing computes this graph output")
    }
    for pair in statePairs {
      guard inputs.contains(pair.input), outputs.contains(pair.output) else {
        throw GraphError(
          "broken-state-pair", at: place(pair.input),
          "a state pair must join a graph input and a graph output")
      }
    }
  }

  private func verify(_ id: NodeID, defined: inout [Bool]) throws(GraphError) {
    let node = self[id]
    for value in node.uses {
      guard value.index >= 0, Int(value.index) < valueCount else {
        throw GraphError(
          "foreign-value", at: label(of: id), "the node reads a value of another graph")
      }
      guard defined[Int(value.index)] else {
        throw GraphError(
          "used-before-definition", at: label(of: id),
          "value '\(name(of: value))' is read before it is defined")
      }
    }
    for case .some(let output) in node.outputs {
      guard !defined[Int(output.index)], producer(of: output) == id else {
        throw GraphError("assigned-twice", at: place(output), "two nodes define this value")
      }
      defined[Int(output.index)] = true
    }
    if let cache = node.cache { try verify(cache, of: node, at: label(of: id)) }
  }

  private func verify(_ cache: CacheNode, of node: Node, at place: String) throws(GraphError) {
    let expected = node.outputs.count
    guard cache.streamCount + cache.slots.count == expected,
      cache.body.graph.outputs.count == expected, cache.reuse.graph.outputs.count == expected
    else {
      throw GraphError(
        "broken-cache-node", at: place,
        "the body has \(cache.body.graph.outputs.count) outputs, the reuse "
          + "\(cache.reuse.graph.outputs.count), the node \(expected)")
    }
    guard node.inputs.count == 1, node.inputs.first != .some(nil) else {
      throw GraphError("broken-cache-node", at: place, "a cache node reads one value, its decision")
    }
  }

  private func place(_ value: ValueID) -> String { "value '\(name(of: value))'" }
}
