import GraphIR
import Interpreter
import Operators
import Rewrite
import Tensors
import Testing

/// Values between products of bfloat16.
@Suite struct RoundedActivationsTests {
  private struct Outcome {
    let y: [Float]
    let changes: [String]
    let declined: [String]
    let peak: Int
  }

  private func run(_ graph: Graph, _ feeds: [Name: Tensor]) throws -> Outcome {
    let engine = try Engine(
      graph,
      options: EngineOptions(threads: 2, checksResultTypes: true, matrixPrecision: .bfloat16))
    let y = try #require(try engine.run(feeds)["y"])
    let plan = try engine.plan(for: feeds.mapValues(\.shape))
    let reports = plan.fusions.filter { $0.pass == "rounded-activations" }
    return Outcome(
      y: y.elements(as: Float.self), changes: reports.flatMap { $0.changes.map(\.message) },
      declined: reports.flatMap { $0.declined.map(\.message) },
      peak: plan.statistics.predictedPeakByteCount ?? 0)
  }

  /// Expects the same bits when the values named are read by somebody else, too.
  private func expectSameBits(
    changes: Int, _ feeds: [Name: Tensor],
    _ build: (_ graph: inout Graph) throws -> [ValueID]
  ) throws {
    var graph = Graph(opsets: ["": 20])
    let hidden = try build(&graph)
    var open = graph
    for (index, value) in hidden.enumerated() {
      open.addOutput(open.emit("Neg", [value], name: Name("hidden\(index)")))
    }
    let (rounded, wide) = (try run(graph, feeds), try run(open, feeds))
    #expect(rounded.y == wide.y)
    guard ComputeThreads.multipliesBFloat16 else { return }
    #expect(rounded.changes.count == changes)
    #expect(wide.changes.isEmpty)
    #expect(wide.declined.contains { $0.hasPrefix("read by Neg") })
    #expect(rounded.peak < wide.peak)
  }

  @Test func aHiddenLayerIsWrittenRounded() throws {
    var noise = Noise()
    let weights = (try noise.tensor(40, 90), try noise.tensor(90, 30), try noise.tensor(90))
    try expectSameBits(changes: 1, ["x": noise.tensor(200, 40)]) { graph in
      let x = graph.addInput("x", type: .float32(200, 40))
      let product = graph.emit("MatMul", [x, try graph.stored(weights.0, as: .float32)])
      let sum = graph.emit("Add", [product, try graph.stored(weights.2, as: .float32)])
      let hidden = graph.emit("Gelu", [sum])
      let last = try graph.stored(weights.1, as: .float32)
      graph.addOutput(graph.emit("MatMul", [hidden, last], name: "y"))
      return [hidden]
    }
  }

  @Test func viewsAndConcatPassRoundedValuesToAttention() throws {
    var noise = Noise()
    let weights = try (0..<4).map { _ in try noise.tensor(48, 48) }
    try expectSameBits(changes: 4, ["x": noise.tensor(1, 40, 48)]) { graph in
      let x = graph.addInput("x", type: .float32(1, 40, 48))
      let projected = try weights.map { weight in
        let value = graph.emit("MatMul", [x, try graph.stored(weight, as: .float32)])
        return graph.emit("Reshape", [value, graph.integers(1, 40, 3, 16)])
      }
      let key = graph.emit("Concat", [projected[1], projected[3]], [Attribute("axis", .int(1))])
      let value = graph.emit("Concat", [projected[2], projected[3]], [Attribute("axis", .int(1))])
      let scores = graph.emit(
        "MatMul", [graph.permuted(projected[0], 0, 2, 1, 3), graph.permuted(key, 0, 2, 3, 1)])
      let attended = graph.emit(
        "MatMul",
        [
          graph.emit("Softmax", [scores], [Attribute("axis", .int(-1))]),
          graph.permuted(value, 0, 2, 1, 3),
        ])
      graph.addOutput(graph.emit("Neg", [attended], name: "y"))
      return [projected[3], projected[0]]
    }
  }
}
