public import GraphIR

extension Graph {
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
