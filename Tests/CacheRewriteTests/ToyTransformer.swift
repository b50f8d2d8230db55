import CacheContract
import CachePolicies
import CacheRewrite
import GraphIR
import Interpreter
import ModelStructure
import ScheduleLanguage
import Tensors

/// A transformer of a few numbers, small enough to work out by hand.
///
/// Block i adds `x · wᵢ` to the hidden states `x` of shape [1, 2, 2]; all blocks share `scale`,
/// which carries block 0's scope.
enum ToyTransformer {
  static let weights: [[Float]] = [[0.5, 0, 0, 0.5], [0, 1, 1, 0], [0.25, 0.5, 0, -1]]

  static func graph(tokens: Dimension = 2) -> Graph {
    var graph = Graph(name: "toy", opsets: ["": 20])
    let type = ValueType.tensor(.float32, [1, tokens, 2])
    let input = graph.addInput("x", type: type)
    let gain = graph.constant([Float(2)], shape: .scalar, name: "gain")
    var states = graph.emit("Neg", [input], name: "states", type: type)
    let scale = graph.emit("Mul", [gain, gain], name: "scale", type: .tensor(.float32, []))
    graph.scope(["", "blocks.0", "mul"])
    for (index, weight) in weights.enumerated() {
      let w = graph.addInitializer(
        Name("w\(index)"), StoredTensor(Tensor(weight, shape: matrix)))
      let product = graph.emit("MatMul", [states, w], name: Name("product\(index)"), type: type)
      graph.scope(["", "blocks.\(index)", "matmul"])
      let scaled = graph.emit("Mul", [product, scale], name: Name("scaled\(index)"), type: type)
      graph.scope(["", "blocks.\(index)", "mul"])
      states = graph.emit("Add", [states, scaled], name: Name("out\(index)"), type: type)
      graph.scope(["", "blocks.\(index)", "add"])
    }
    graph.addOutput(graph.emit("Neg", [states], name: "y", type: type))
    return graph
  }

  private static var matrix: Shape { (try? Shape([2, 2])) ?? .scalar }

  /// What block `index` adds to hidden states.
  static func branch(_ index: Int, _ x: [Float]) -> [Float] {
    let w = weights[index]
    var result: [Float] = []
    for row in stride(from: 0, to: x.count, by: 2) {
      let first = x[row] * w[0] + x[row + 1] * w[2]
      let second = x[row] * w[1] + x[row + 1] * w[3]
      result += [4 * first, 4 * second]
    }
    return result
  }

  static func schedule(_ text: String) throws -> Schedule {
    let document = try ScheduleDocument.reading(
      SourceFile(path: "test.dcs", text: text), with: .standard)
    return document.schedules[0]
  }

  static func cached(
    _ text: String, tokens: Dimension = 2, convention: StateConvention = .optional
  ) throws -> CachedGraph {
    let graph = graph(tokens: tokens)
    return try CacheRewriter(convention: convention).rewrite(
      graph, ModelStructure(of: graph), following: try schedule(text), originalDigest: "none")
  }
}

extension Graph {
  /// Gives the last node exporter scopes.
  fileprivate mutating func scope(_ scopes: [String]) {
    guard let last = order.last else { return }
    var node = self[last]
    node.scopes = scopes
    replace(last, with: node)
  }
}
