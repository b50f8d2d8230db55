import GraphIR
import Interpreter
import Operators
import Tensors
import Testing

/// Weights that are laid out for products once.
@Suite struct PreparedConstantTests {
  private let options = EngineOptions(threads: 2, matrixPrecision: .bfloat16)

  @Test(arguments: [(rows: 3, columns: 90), (rows: 50, columns: 90), (rows: 50, columns: 5)])
  func aWeightThatIsConstantGivesTheBitsOfOneThatIsFed(size: (rows: Int, columns: Int)) throws {
    var noise = Noise()
    let (x, weight) = (try noise.tensor(size.rows, 1601), try noise.tensor(1601, size.columns))
    func graph(isConstant: Bool) -> Graph {
      var graph = Graph(opsets: ["": 20])
      let x = graph.addInput("x", type: .float32(.symbol("n"), 1601))
      let w =
        isConstant
        ? graph.addInitializer("w", StoredTensor(weight))
        : graph.addInput("w", type: .float32(1601, .init(size.columns)))
      graph.addOutput(graph.emit("MatMul", [x, w], name: "y"))
      return graph
    }
    let stored = try Engine(graph(isConstant: true), options: options)
    let fed = try Engine(graph(isConstant: false), options: options)
    let (own, other) = (try stored.run(["x": x])["y"], try fed.run(["x": x, "w": weight])["y"])
    let (a, b) = (try #require(own), try #require(other))
    // Few rows or columns are left to BLAS, which does not round.
    let tolerance: Float = min(size.rows, size.columns) < 8 ? 0.3 : 0
    for (x, y) in zip(a.elements(as: Float.self), b.elements(as: Float.self)) {
      #expect(abs(x - y) <= tolerance)
    }
    guard ComputeThreads.multipliesBFloat16 else { return }
    let statistics = try stored.plan(for: ["x": x.shape]).statistics
    #expect(statistics.constantByteCount == 1602 * ((size.columns + 31) / 32 * 32) * 2)
  }

  @Test func branchesAndPlansShareOneLayoutAndForgetTheElements() throws {
    var noise = Noise()
    let source = CountedSource(try noise.tensor(40, 64))
    var graph = Graph(opsets: ["": 20])
    let condition = graph.addInput("condition", type: .tensor(.bool, []))
    let x = graph.addInput("x", type: .float32(.symbol("n"), 40))
    let weight = graph.addInitializer("w", source.stored)
    let y = graph.choose(condition, capturing: [x, weight]) { graph, captured in
      graph.emit("Neg", [graph.emit("MatMul", [captured[0], captured[1]])])
    } otherwise: { graph, captured in
      graph.emit("MatMul", [captured[0], captured[1]])
    }
    graph.addOutput(graph.emit("Identity", [y], name: "y"))
    let engine = try Engine(graph, options: options)
    for rows in [20, 30, 20] {
      let x = try noise.tensor(rows, 40)
      let outputs = try [true, false].map { truth in
        try #require(try engine.run(["condition": Tensor(scalar: truth), "x": x])["y"])
          .elements(as: Float.self)
      }
      #expect(outputs[0].map { -$0 } == outputs[1])
    }
    #expect(source.readCount == 1)
  }
}
