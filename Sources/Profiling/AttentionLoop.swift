import GraphIR
import ModelStructure
import Tensors

/// The loop that sums the columns of one attention, a few rows of queries at a time.
struct AttentionLoop {
  /// Keys of each query.
  let keyCount: Int
  private let core: AttentionCore
  private let scores: [Int]
  private let tileRows: Int

  /// A loop for an attention whose sizes are known.
  init(_ core: AttentionCore, in graph: Graph, tileElements: Int) throws(ProfilingError) {
    guard let queries = graph.tensorType(of: core.queries)?.concreteShape,
      let keys = graph.tensorType(of: core.keys)?.concreteShape, queries.rank >= 3,
      keys.rank == queries.rank
    else {
      throw ProfilingError(
        "free-dimensions", at: core.place, "the sizes of queries and keys are not known",
        hint: "fix free dimensions with --dim")
    }
    self.core = core
    if graph[core.nodes[0]].op == "Attention" {
      let parts = try OperatorScores(graph[core.nodes[0]], queries, keys, block: core.place)
      scores = parts.shape
    } else {
      let product = graph[core.nodes[0]].outputs.first ?? nil
      guard let shape = product.flatMap({ graph.tensorType(of: $0)?.concreteShape }) else {
        throw ProfilingError(
          "free-dimensions", at: core.place, "the size of the scores is not known",
          hint: "fix free dimensions with --dim")
      }
      guard shape.rank >= 3, shape[shape.rank - 2] == queries[queries.rank - 2],
        Self.isLastAxis(of: graph[core.nodes[core.nodes.count - 1]], rank: shape.rank)
      else {
        throw ProfilingError(
          "transposed-scores", at: core.place, "the softmax does not run over keys")
      }
      scores = shape.dimensions
    }
    keyCount = scores[scores.count - 1]
    guard keyCount > 0, scores.allSatisfy({ $0 > 0 }) else {
      throw ProfilingError("no-tokens", at: core.place, "the attention has no tokens")
    }
    let columns = scores.dropLast(2).reduce(keyCount, *)
    tileRows = max(1, min(scores[scores.count - 2], tileElements / columns))
  }

  private static func isLastAxis(of softmax: Node, rank: Int) -> Bool {
    guard case .int(let axis)? = softmax.attribute("axis") else { return true }
    return axis == -1 || axis == rank - 1
  }

  /// Adds the loop and a division; returns the nodes and the average.
  func insert(into graph: inout Graph) -> (nodes: [NodeID], output: ValueID) {
    let rows = scores[scores.count - 2]
    var body = LoopBody(graph, tileRows: tileRows)
    let weights = body.weights(of: core, scores: scores)
    let subgraph = body.finish(weights: weights, rank: scores.count)
    let vector = Shape.vector(keyCount)
    let trips = graph.constant([Int64((rows + tileRows - 1) / tileRows)], shape: .scalar)
    let zeros = graph.constant([Float](repeating: 0, count: keyCount), shape: vector)
    let always = graph.constant([true], shape: .scalar)
    let type = ValueType.tensor(TensorType(.float32, vector))
    let sums = graph.makeValue("ditcache/profile/sums", type: type)
    let loop = graph.add(
      Node(
        "Loop", name: Name("ditcache/profile/\(core.place)"), inputs: [trips, always, zeros],
        outputs: [sums], attributes: [Attribute("body", .graph(subgraph))]))
    let count = scores.dropLast().reduce(1, *)
    let scale = graph.constant([1 / Float(count)], shape: .scalar)
    let output = graph.makeValue(Name("ditcache/profile/\(core.place)"), type: type)
    let division = graph.add(Node("Mul", inputs: [sums, scale], outputs: [output]))
    return ([loop, division], output)
  }
}
