public import GraphIR
public import ModelStructure
import Tensors

/// How the latents are cut into tokens: a grid in row-major order, frames outermost.
public struct TokenGrid: Hashable, Sendable {
  /// Patches in time.
  public let frames: Int
  /// Patches from top to bottom.
  public let rows: Int
  /// Patches from left to right.
  public let columns: Int

  /// The tokens of the latents.
  public var count: Int { frames * rows * columns }

  /// A grid.
  public init(frames: Int, rows: Int, columns: Int) {
    (self.frames, self.rows, self.columns) = (frames, rows, columns)
  }

  /// Patch sizes that are tried, in time and in space.
  private static let patches = (time: [1, 2, 4], space: [2, 1, 4, 8, 16, 3, 6])

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
    var layouts: [(layout: LatentLayout, video: [Int])] = []
    switch sizes.count {
    case 3:
      guard let given else {
        throw ProfilingError(
          "packed-latents", at: "input '\(latents)'",
          "latents (B, tokens, C) do not say how their \(tokens) tokens lie",
          hint: "pass --tokens FRAMES,ROWS,COLUMNS")
      }
      return (given, .packed(given))
    case 4: layouts = [(.channelsFirst, [1, sizes[2], sizes[3]])]
    default:
      layouts = [
        (.channelsFirst, [sizes[2], sizes[3], sizes[4]]),
        (.framesFirst, [sizes[1], sizes[3], sizes[4]]),
      ]
    }
    for (layout, video) in layouts {
      let grids = grids(of: video).filter { $0.count == tokens }
      if let grid = grids.first(where: { given == nil || $0 == given }) { return (grid, layout) }
    }
    throw ProfilingError(
      "no-token-grid", at: "model",
      "\(tokens) tokens are no grid of square patches of latents \(sizes)")
  }

  /// The grids of all patches that divide a video.
  private static func grids(of video: [Int]) -> [TokenGrid] {
    patches.time.filter { video[0] % $0 == 0 }.flatMap { time in
      patches.space.filter { video[1] % $0 == 0 && video[2] % $0 == 0 }.map { space in
        TokenGrid(frames: video[0] / time, rows: video[1] / space, columns: video[2] / space)
      }
    }
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
