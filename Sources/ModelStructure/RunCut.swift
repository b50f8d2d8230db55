public import GraphIR

extension ModelStructure {
  /// Splits block positions into maximal contiguous ranges that one cache node can own.
  ///
  /// A range also ends where the family changes, or the number or type of the streams.
  public func runs(of positions: [Int], in graph: Graph) -> [ClosedRange<Int>] {
    var result: [ClosedRange<Int>] = []
    for position in positions.sorted() {
      if let last = result.last, last.upperBound + 1 == position,
        blocks[last.upperBound].continues(into: blocks[position], in: graph)
      {
        result[result.count - 1] = last.lowerBound...position
      } else {
        result.append(position...position)
      }
    }
    return result
  }

  /// Cuts a range of blocks out of the graph.
  ///
  /// The run owns the nodes that only it needs. A node of the range that others read too is left
  /// outside when it does not depend on the hidden states; when it does, the range cannot be cut
  /// and the error names the value and the node that reads it.
  public func cut(
    _ range: ClosedRange<Int>, in graph: Graph, uses: UseIndex
  ) throws(StructureError) -> Run {
    let members = blocks[range]
    guard let first = members.first, let last = members.last else {
      throw StructureError("empty-run", at: "blocks", "no block was asked for")
    }
    let place =
      first.index == last.index ? first.name : "\(first.family)[\(first.index)-\(last.index)]"
    let streams = zip(first.streams, last.streams)
      .filter { $1.hasEnd && !uses.isUnused($1.output) }
      .map { Stream(input: $0.input, output: $1.output) }
    guard first.streams.count == last.streams.count, !streams.isEmpty else {
      throw StructureError(
        "stream-count", at: place,
        "\(first.streams.count) streams enter the first block and \(last.streams.count) the last")
    }
    let candidates = Set(members.flatMap(\.nodes))
    let outputs = Set(streams.map(\.output))
    let order = graph.order.filter { candidates.contains($0) }
    let dependent = nodes(of: order, reachedFrom: Set(first.streams.map(\.input)), in: graph)
    var kept = Set<NodeID>()
    for id in order.reversed() {
      let escaping = graph[id].outputs.compactMap { $0 }.first { value in
        !outputs.contains(value)
          && (uses.isOutput(value) || uses.users(of: value).contains { !kept.contains($0) })
      }
      guard let escaping else {
        if graph[id].outputs.contains(where: { $0.map { !uses.isUnused($0) } ?? false }) {
          kept.insert(id)
        }
        continue
      }
      guard dependent.contains(id) else { continue }
      let reader = uses.users(of: escaping).first { !kept.contains($0) }
      throw StructureError(
        "value-crosses", at: place,
        "'\(graph.name(of: escaping))' is computed inside and also read by "
          + (reader.map(graph.label(of:)) ?? "the graph's output"),
        hint: "choose a range that contains that node, or ends before the value is computed")
    }
    return Run(
      family: first.family, first: first.index, last: last.index, streams: streams,
      nodes: order.filter { kept.contains($0) })
  }

  private func nodes(
    of order: [NodeID], reachedFrom sources: Set<ValueID>, in graph: Graph
  ) -> Set<NodeID> {
    var values = sources
    var result = Set<NodeID>()
    for id in order where graph[id].uses.contains(where: values.contains) {
      result.insert(id)
      values.formUnion(graph[id].outputs.compactMap { $0 })
    }
    return result
  }
}

extension Block {
  fileprivate func continues(into next: Block, in graph: Graph) -> Bool {
    family == next.family && index + 1 == next.index && streams.count == next.streams.count
      && zip(streams, next.streams).allSatisfy { before, after in
        before.output == after.input && graph.type(of: before.input) == graph.type(of: after.input)
      }
  }
}
