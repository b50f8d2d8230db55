import GraphIR

extension StructureAnalysis {
  /// Says of each block that is no site alone which value crosses, at which node.
  mutating func noteCrossings(_ blocks: [Block]) {
    for block in blocks {
      let region = BlockRegion(
        from: block.streams.map(\.input), to: block.streams.filter(\.hasEnd).map(\.output),
        in: graph, positions: positions)
      let crossing = BlockRegion.crossing(
        of: region.dependent, inside: Set(block.nodes),
        leaving: Set(block.streams.filter(\.hasEnd).map(\.output)), in: graph, uses: uses)
      guard let crossing else { continue }
      structure.notes.append(
        StructureNote(
          place: block.name,
          message:
            "is no site alone: '\(graph.name(of: crossing.value))' is computed inside and also "
            + "read by \(graph.reader(crossing.reader))"))
    }
  }

  /// Says which blocks hand their result to a block far away.
  mutating func noteLongSkips(_ blocks: [Block]) {
    for (block, next) in zip(blocks, blocks.dropFirst()) {
      let end = next.streams.map { flow.position(of: $0.output) }.max() ?? 0
      for stream in block.streams where stream.hasEnd {
        let reader = uses.users(of: stream.output).first { flow.position(of: $0) > end }
        guard let reader else { continue }
        let owner = blocks.first {
          flow.position(of: $0.streams[0].output) >= flow.position(of: reader)
        }
        structure.notes.append(
          StructureNote(
            place: block.name,
            message: "its result '\(graph.name(of: stream.output))' is also read by "
              + "\(graph.label(of: reader))\(owner.map { " of \($0.name)" } ?? ""): a run ends here "
              + "unless it contains that node"))
      }
    }
  }
}

extension Graph {
  /// A node as a reader in a message; nil is the graph's output.
  func reader(_ node: NodeID?) -> String { node.map(label(of:)) ?? "the graph's output" }
}
