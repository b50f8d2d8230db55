public import GraphIR

extension ModelStructure {
  /// Splits block positions into maximal contiguous ranges that one cache node can own.
  ///
  /// A range also ends where the family changes, or the number or type of the streams, and where a
  /// block's result is read outside the range as well, as a long skip does.
  public func runs(of positions: [Int], in graph: Graph) -> [ClosedRange<Int>] {
    borders(of: positions, in: graph).map(\.range)
  }

  /// As `runs(of:in:)`, with the reason why a range ends before the next position asked for.
  public func borders(
    of positions: [Int], in graph: Graph
  ) -> [(range: ClosedRange<Int>, reason: StructureNote?)] {
    var pending: [(range: ClosedRange<Int>, reason: StructureNote?)] = []
    for position in positions.sorted() {
      guard let last = pending.last, last.range.upperBound + 1 == position else {
        pending.append((position...position, nil))
        continue
      }
      let reason = blocks[last.range.upperBound].border(before: blocks[position], in: graph)
      pending[pending.count - 1].reason = reason
      if reason == nil {
        pending[pending.count - 1].range = last.range.lowerBound...position
      } else {
        pending.append((position...position, nil))
      }
    }
    let uses = UseIndex(graph)
    let places = graph.orderPositions()
    pending.reverse()
    var result: [(range: ClosedRange<Int>, reason: StructureNote?)] = []
    while let (range, reason) = pending.popLast() {
      let skips = longSkips(out: range, in: graph, uses: uses, positions: places)
      var first = range.lowerBound
      var pieces: [(range: ClosedRange<Int>, reason: StructureNote?)] = []
      for (last, note) in skips {
        pieces.append((first...last, note))
        first = last + 1
      }
      pieces.append((first...range.upperBound, reason))
      if pieces.count == 1 { result += pieces } else { pending += pieces.reversed() }
    }
    return result
  }

  /// The blocks inside a range, its last one aside, whose results are read outside it.
  private func longSkips(
    out range: ClosedRange<Int>, in graph: Graph, uses: UseIndex, positions: [Int]
  ) -> [(last: Int, note: StructureNote)] {
    guard range.count > 1 else { return [] }
    func position(_ value: ValueID) -> Int {
      graph.producer(of: value).map { positions[Int($0.index)] } ?? -1
    }
    let end = blocks[range.upperBound].streams.map { position($0.output) }.max() ?? 0
    return range.dropLast().compactMap { index in
      for stream in blocks[index].streams where stream.hasEnd {
        let reader = uses.users(of: stream.output).first { positions[Int($0.index)] > end }
        guard reader != nil || uses.isOutput(stream.output) else { continue }
        return (
          index,
          StructureNote(
            place: blocks[index].name,
            message: "a run ends here because '\(graph.name(of: stream.output))' is also read by "
              + graph.reader(reader))
        )
      }
      return nil
    }
  }

  /// Cuts a range of blocks out of the graph.
  ///
  /// The run owns the nodes that only it needs. What others read too is left outside where it does
  /// not depend on the hidden states inside; where it does, the range cannot be cut, and the error
  /// names the value and the node that reads it.
  public func cut(
    _ range: ClosedRange<Int>, in graph: Graph, uses: UseIndex
  ) throws(StructureError) -> Run {
    let members = blocks.indices.contains(range.upperBound) ? blocks[range] : []
    guard let first = members.first, let last = members.last else {
      throw StructureError("empty-run", at: "blocks", "there are no such blocks")
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
    let region = BlockRegion(
      from: first.streams.map(\.input), to: streams.map(\.output), in: graph,
      positions: graph.orderPositions())
    for stream in streams {
      let types = (graph.type(of: stream.input), graph.type(of: stream.output))
      guard types.0.agrees(with: types.1) else {
        throw StructureError(
          "stream-type", at: place,
          "the hidden states enter as \(types.0) '\(graph.name(of: stream.input))' and leave as "
            + "\(types.1) '\(graph.name(of: stream.output))'",
          hint: "choose another range")
      }
    }
    let own = Set(members.flatMap(\.nodes))
    let leaving = Set(streams.map(\.output))
    let owned = own.union(region.dependent).subtracting(
      hoisted(from: region.dependent, but: own, leaving: leaving, in: graph, uses: uses))
    let crossing = BlockRegion.crossing(
      of: region.dependent.filter(owned.contains), inside: owned, leaving: leaving, in: graph,
      uses: uses)
    if let crossing {
      throw StructureError(
        "value-crosses", at: place,
        "'\(graph.name(of: crossing.value))' is computed inside and also read by "
          + graph.reader(crossing.reader),
        hint: "choose a range that contains that node, or ends before the value is computed")
    }
    return Run(
      family: first.family, first: first.index, last: last.index, streams: streams,
      nodes: graph.order.filter(owned.contains))
  }
}

extension ModelStructure {
  /// Nodes between the blocks of a range, such as a control chain, that others need as well.
  ///
  /// They stay outside, with all that they are computed from.
  private func hoisted(
    from nodes: [NodeID], but own: Set<NodeID>, leaving: Set<ValueID>, in graph: Graph,
    uses: UseIndex
  ) -> Set<NodeID> {
    let region = Set(nodes)
    var result = Set<NodeID>()
    for id in nodes.reversed() where !own.contains(id) {
      let isNeeded = graph[id].outputs.contains { value in
        guard let value, !leaving.contains(value) else { return false }
        return uses.isOutput(value)
          || uses.users(of: value).contains {
            result.contains($0) || (!region.contains($0) && !own.contains($0))
          }
      }
      if isNeeded { result.insert(id) }
    }
    return result
  }
}

extension Block {
  /// Why a run that contains this block cannot go on with the next one.
  fileprivate func border(before next: Block, in graph: Graph) -> StructureNote? {
    func note(_ reason: String) -> StructureNote {
      StructureNote(place: name, message: "a run ends here because " + reason)
    }
    guard family == next.family else { return note("\(next.name) is of another family") }
    guard index + 1 == next.index else { return note("\(next.name) is not the next of its family") }
    guard streams.count == next.streams.count else {
      return note("\(streams.count) streams become \(next.streams.count)")
    }
    for (before, after) in zip(streams, next.streams) {
      let types = (graph.type(of: before.input), graph.type(of: after.input))
      guard types.0.agrees(with: types.1) else {
        return note("the hidden states change from \(types.0) to \(types.1)")
      }
    }
    return nil
  }
}
