import GraphIR

extension StructureAnalysis {
  /// Sorts confirmed segments into blocks and refiners and orders their streams.
  ///
  /// Blocks are the segments through which the latents pass on their way to the first graph
  /// output; all other chains are refiners.
  mutating func group(_ candidates: [Candidate]) {
    var candidates = candidates
    let latentStreams = markLatents(in: candidates)
    for (number, latent) in latentStreams {
      candidates[number].moveToFront(stream: latent)
    }
    for (number, candidate) in candidates.enumerated() {
      if latentStreams[number] != nil {
        structure.blocks.append(candidate.block(at: structure.blocks.count))
      } else {
        structure.refiners.append(candidate.block(at: structure.refiners.count))
      }
    }
  }

  /// For each segment on the way of the latents, which of its streams they are.
  private func markLatents(in candidates: [Candidate]) -> [Int: Int] {
    var owner: [ValueID: (candidate: Int, stream: Int)] = [:]
    for (number, candidate) in candidates.enumerated() {
      for (position, stream) in candidate.streams.enumerated() where stream.output != stream.input {
        owner[stream.output] = (number, position)
      }
    }
    var result: [Int: Int] = [:]
    var pending = graph.outputs.prefix(1).map { $0 }
    var visited = Set<ValueID>()
    while let value = pending.popLast() {
      guard visited.insert(value).inserted else { continue }
      if let (candidate, stream) = owner[value] {
        guard result[candidate] == nil else { continue }
        result[candidate] = stream
        pending.append(candidates[candidate].streams[stream].input)
      } else if let producer = graph.producer(of: value) {
        pending += latentOperands(of: graph[producer], owners: owner)
      }
    }
    return result
  }

  /// The operands through which the latents may have come: those that carry most of the result.
  ///
  /// Outside blocks the latents pass norms, projections and reshapes, where they are the first
  /// operand, and concatenations, modulations and the cache nodes of a cached file, where they may be
  /// any.
  private func latentOperands(
    of node: Node, owners: [ValueID: (candidate: Int, stream: Int)]
  ) -> [ValueID] {
    let operands = node.uses
    let direct = operands.filter { owners[$0] != nil }
    if let first = direct.first { return [first] }
    switch node.op {
    case "Add", "Mul", "Sub", "Div", "Where", "If":
      return operands.filter { rank(of: $0) == operands.map { rank(of: $0) }.max() }
    default:
      return Array(operands.prefix(1))
    }
  }

  private func rank(of value: ValueID) -> Int {
    graph.initializers[value] != nil ? -1 : graph.tensorType(of: value)?.shape?.count ?? 0
  }
}

extension StructureAnalysis.Candidate {
  fileprivate mutating func moveToFront(stream: Int) {
    guard stream > 0 else { return }
    streams.insert(streams.remove(at: stream), at: 0)
    modules = modules.map { module in
      var module = module
      module.stream =
        module.stream == stream ? 0 : module.stream < stream ? module.stream + 1 : module.stream
      return module
    }
  }

  fileprivate func block(at position: Int) -> Block {
    Block(
      name: "\(segment.family).\(segment.index)", family: segment.family, index: segment.index,
      position: position, streams: streams, nodes: segment.nodes, modules: modules)
  }
}
