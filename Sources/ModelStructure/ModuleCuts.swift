public import GraphIR

extension Module {
  /// What is added to the hidden states: the branch after its gate.
  public func gated(in graph: Graph) -> ValueID {
    guard let addition = graph.producer(of: output) else { return branch }
    let operands = graph[addition].inputs.compactMap { $0 }
    guard operands.count == 2, operands.contains(input) else { return branch }
    return operands[0] == input ? operands[1] : operands[0]
  }
}

extension Module {
  /// What the module itself makes, before it is multiplied by its gate.
  ///
  /// A gate is a factor without an axis of tokens: its second to last dimension is 1, or it has fewer
  /// dimensions.
  public func ungated(in graph: Graph) -> ValueID {
    var value = branch
    while let producer = graph.producer(of: value) {
      let operands = graph[producer].inputs.compactMap { $0 }
      switch graph[producer].op {
      case "Cast", "CastLike", "Identity":
        guard let source = operands.first else { return branch }
        value = source
      case "Mul" where operands.count == 2:
        for (factor, other) in [(operands[0], operands[1]), (operands[1], operands[0])]
        where graph.isGate(factor, of: other) {
          return other
        }
        return branch
      default: return branch
      }
    }
    return branch
  }
}

extension Graph {
  fileprivate func isGate(_ factor: ValueID, of value: ValueID) -> Bool {
    guard let small = tensorType(of: factor)?.shape, let large = tensorType(of: value)?.shape,
      large.count >= 2
    else { return false }
    if small.count < 2 { return true }
    return small[small.count - 2].value == 1 && large[large.count - 2].value != 1
  }

  /// The nodes that nothing but some values needs: what need not run where those come from a cache.
  ///
  /// - Parameters:
  ///   - values: computed values; who else reads them does not matter
  ///   - uses: the readers of this graph
  /// - Returns: the nodes in execution order
  public func nodes(onlyFor values: Set<ValueID>, uses: UseIndex) -> [NodeID] {
    var kept = Set<NodeID>()
    for id in order.reversed() {
      let results = self[id].outputs.compactMap { $0 }
      let isNeededElsewhere = results.contains { value in
        guard !values.contains(value) else { return false }
        return uses.isOutput(value) || uses.users(of: value).contains { !kept.contains($0) }
      }
      guard !isNeededElsewhere, results.contains(where: { !uses.isUnused($0) }) else { continue }
      kept.insert(id)
    }
    return order.filter { kept.contains($0) }
  }

  /// Those of some nodes on which some values depend.
  public func ancestors(of values: Set<ValueID>, among nodes: [NodeID]) -> Set<NodeID> {
    var needed = values
    var result = Set<NodeID>()
    for id in nodes.reversed() {
      guard self[id].outputs.contains(where: { $0.map(needed.contains) ?? false }) else { continue }
      result.insert(id)
      needed.formUnion(self[id].uses)
    }
    return result
  }
}
