public import GraphIR
public import ModelStructure
import Tensors

/// The grid of a model's latents, and where they stand among keys.
extension TokenGrid {
  /// The grid of a model, from the sizes of its latents and of the first block's hidden states.
  public init(of graph: Graph, structure: ModelStructure, latents: Name) throws(ProfilingError) {
    self = try Self.find(in: graph, structure: structure, latents: latents).grid
  }

  /// The grid of a model and how its latents lie.
  ///
  /// Patches are squares; among several that fit, the shortest in time is taken.
  ///
  /// - Parameters:
  ///   - graph: the model, with types
  ///   - structure: its blocks
  ///   - latents: the input
  ///   - given: the grid, if it is known; packed latents need it
  /// - Returns: the grid, and which axes of the latents it is of
  /// - Throws: `ProfilingError` when sizes are not known or do not fit
  public static func find(
    in graph: Graph, structure: ModelStructure, latents: Name, given: TokenGrid? = nil
  ) throws(ProfilingError) -> (grid: TokenGrid, layout: LatentLayout) {
    let sizes =
      graph.value(named: latents).flatMap { graph.tensorType(of: $0)?.concreteShape }?.dimensions
      ?? []
    let stream = structure.blocks.first?.streams.first?.input
    let hidden = stream.flatMap { graph.tensorType(of: $0)?.concreteShape }?.dimensions ?? []
    guard (3...5).contains(sizes.count), hidden.count >= 3 else {
      throw ProfilingError(
        "free-dimensions", at: "input '\(latents)'",
        "latents of three to five axes whose sizes are known are needed",
        hint: "fix free dimensions with --dim")
    }
    let tokens = hidden.dropFirst().dropLast().reduce(1, *)
    if let given, given.count != tokens {
      throw ProfilingError(
        "bad-grid", at: "--tokens", "the grid has \(given.count) tokens, the blocks have \(tokens)",
        category: .usage)
    }
    if sizes.count == 3 {
      guard let given else {
        throw ProfilingError(
          "packed-latents", at: "input '\(latents)'",
          "latents (B, tokens, C) do not say how their \(tokens) tokens lie",
          hint: "pass --tokens FRAMES,ROWS,COLUMNS")
      }
      return (given, .packed(given))
    }
    let found = candidates(ofLatents: sizes, tokens: tokens)
    if let (grid, axis) = found.first(where: { given == nil || $0.grid == given }) {
      return (grid, axis == 1 ? .framesFirst : .channelsFirst)
    }
    throw ProfilingError(
      "no-token-grid", at: "model",
      "\(tokens) tokens are no grid of square patches of latents \(sizes)")
  }

  /// Which of the keys of an attention are the latents' tokens.
  ///
  /// Text stands before or behind them: where the keys were joined of both, the order is read.
  func latentTokens(
    among keyCount: Int, of keys: ValueID, in graph: Graph
  ) throws(ProfilingError) -> Range<Int> {
    if keyCount == count { return 0..<count }
    var pending = [keys]
    var seen = Set<ValueID>()
    var next = 0
    while next < pending.count, next < 4096 {
      let value = pending[next]
      next += 1
      guard seen.insert(value).inserted, let producer = graph.producer(of: value) else { continue }
      let node = graph[producer]
      if node.op == "Concat", let start = latentStart(node, in: graph, total: keyCount) {
        return start..<start + count
      }
      pending += node.uses
    }
    throw ProfilingError(
      "unknown-token-order", at: graph.name(of: keys).text,
      "nothing says which of \(keyCount) keys are the \(count) tokens of the latents")
  }

  /// Where the latents' tokens begin in what a node joins of them and text.
  private func latentStart(_ node: Node, in graph: Graph, total: Int) -> Int? {
    let parts = node.inputs.compactMap { $0 }.map { graph.tensorType(of: $0)?.concreteShape }
    guard case .int(let given)? = node.attribute("axis"), let rank = parts.first??.rank,
      case let axis = given < 0 ? given + rank : given, (0..<rank).contains(axis)
    else { return nil }
    let lengths = parts.map { $0.map { $0.rank > axis ? $0[axis] : 0 } ?? 0 }
    guard lengths.count == 2, lengths.reduce(0, +) == total,
      let place = lengths.firstIndex(of: count)
    else { return nil }
    return place == 0 ? 0 : lengths[0]
  }
}
