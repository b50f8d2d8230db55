import GraphIR
import Interpreter
import Operators
import Rewrite
import Tensors
import Testing

/// Products of one left operand.
@Suite struct SharedInputTests {
  /// Weights of 40 rows, biases and activations of some products.
  private struct Parts {
    let x: Tensor
    let weights: [Tensor]
    let biases: [Tensor?]
    let gelu: [Bool]

    init(rows: Int = 30) throws {
      var noise = Noise()
      x = try noise.tensor(2, rows, 40)
      let widths = [56, 56, 130, 5]
      weights = try widths.map { try noise.tensor(40, $0) }
      biases = try widths.map { $0 == 5 ? nil : try noise.tensor($0) }
      gelu = widths.map { $0 == 130 }
    }

    /// A graph of some of the products, in a type.
    func graph(_ positions: [Int], _ type: DataType = .float32) throws -> Graph {
      var graph = Graph(opsets: ["": 20])
      let x = graph.addInput("x", type: .tensor(type, x.shape.dimensions.map { .init($0) }))
      var results: [ValueID] = []
      for position in positions {
        var value = graph.emit("MatMul", [x, try graph.stored(weights[position], as: type)])
        if let bias = biases[position] {
          value = graph.emit("Add", [value, try graph.stored(bias, as: type)])
        }
        if gelu[position] { value = graph.emit("Gelu", [value]) }
        results.append(value)
      }
      for (position, value) in zip(positions, results) {
        graph.addOutput(graph.emit("Identity", [value], name: Name("y\(position)")))
      }
      return graph
    }
  }

  private func outputs(
    _ graph: Graph, _ x: Tensor, _ precision: MatrixPrecision, threads: Int
  ) throws -> (values: [Name: Tensor], shared: [String], constants: Int) {
    let engine = try Engine(
      graph,
      options: EngineOptions(
        threads: threads, checksResultTypes: true, matrixPrecision: precision))
    let plan = try engine.plan(for: ["x": x.shape])
    let shared = plan.fusions.filter { $0.pass == "shared-input" }
    return (
      try engine.run(["x": x]), shared.flatMap { $0.changes.map(\.message) },
      plan.statistics.constantByteCount
    )
  }

  @Test(arguments: [DataType.float32, .float16, .bfloat16], MatrixPrecision.allCases)
  func productsKeepTheBitsThatTheyHaveAlone(type: DataType, precision: MatrixPrecision) throws {
    for (rows, threads) in [(30, 1), (30, 2), (3, 2), (1100, 3)] {
      let parts = try Parts(rows: rows)
      let x = try parts.x.converted(to: type)
      let all = try outputs(parts.graph([0, 1, 2, 3], type), x, precision, threads: threads)
      #expect(all.shared.count == 1)
      var constants = 0
      for position in 0..<4 {
        let name = Name("y\(position)")
        let alone = try outputs(parts.graph([position], type), x, precision, threads: threads)
        let (own, due) = (try #require(all.values[name]), try #require(alone.values[name]))
        #expect(own.dataType == due.dataType && own.shape == due.shape && alone.shared.isEmpty)
        let (a, b) = (try own.converted(to: .float32), try due.converted(to: .float32))
        #expect(a.elements(as: Float.self) == b.elements(as: Float.self), "\(rows), \(name)")
        constants += alone.constants
      }
      #expect(all.constants == constants, "weights are laid out as those of separate products")
    }
  }

  @Test func resultsAreThoseOfTheUnfusedGraph() throws {
    let parts = try Parts()
    let result = try FusionHarness(parts.graph([0, 1, 3]), ["x": parts.x], tolerance: 0)
    #expect(result.changes.count { $0.hasPrefix("shared-input: computed with") } == 1)
    try FusionHarness(parts.graph([2, 0]), ["x": parts.x])
  }

  /// What the rule says of a graph that `build` makes of x, [2, 30, 40], and two weights, [40, 56].
  private func remarks(
    _ build: (_ graph: inout Graph, _ x: ValueID, _ weights: [ValueID]) -> ValueID
  ) throws -> FusionHarness {
    var noise = Noise()
    var graph = Graph(opsets: ["": 20])
    let x = graph.addInput("x", type: .float32(2, 30, 40))
    let weights = try (0..<2).map {
      graph.addInitializer(Name("w\($0)"), .init(try noise.tensor(40, 56)))
    }
    graph.addOutput(build(&graph, x, weights))
    return try FusionHarness(graph, ["x": noise.tensor(2, 30, 40)])
  }

  @Test func aProductWhoseBiasIsComputedOfTheFirstStaysAlone() throws {
    let result = try remarks { graph, x, weights in
      let first = graph.emit("MatMul", [x, weights[0]])
      let mean = graph.emit("ReduceMean", [first, graph.integers(0, 1)])
      let second = graph.emit("MatMul", [x, weights[1]])
      return graph.emit("Add", [second, graph.emit("Reshape", [mean, graph.integers(56)])])
    }
    #expect(result.changes == ["fused-linear: a product with bias"])
    #expect(result.declined.count == 1)
    #expect(result.declined[0].hasPrefix("shared-input: its weight or bias is computed behind"))
  }

  @Test func aWeightThatIsComputedInBetweenIsWaitedFor() throws {
    let result = try remarks { graph, x, weights in
      let first = graph.emit("MatMul", [x, weights[0]])
      let second = graph.emit("MatMul", [x, graph.emit("Tanh", [weights[1]])])
      return graph.emit("Max", [first, second])
    }
    #expect(result.changes.count == 1)
    #expect(result.changes[0].hasPrefix("shared-input: computed with MatMul"))
  }

  @Test func aProductBehindAReaderOfAnotherStaysThere() throws {
    let result = try remarks { graph, x, weights in
      let first = graph.emit("Tanh", [graph.emit("MatMul", [x, weights[0]])])
      return graph.emit("Mul", [first, graph.emit("MatMul", [x, weights[1]])])
    }
    #expect(!result.changes.contains { $0.hasPrefix("shared-input") })
  }

  @Test func aProductThatReadsAnotherIsNotComputedWithIt() throws {
    var noise = Noise()
    var graph = Graph(opsets: ["": 20])
    let x = graph.addInput("x", type: .float32(40, 40))
    let first = graph.emit(
      "MatMul", [x, graph.addInitializer("w", .init(try noise.tensor(40, 40)))])
    graph.addOutput(graph.emit("MatMul", [x, first], name: "y"))
    let result = try FusionHarness(graph, ["x": noise.tensor(40, 40)], tolerance: 0)
    #expect(result.changes.isEmpty)
    #expect(result.declined.count == 1)
    #expect(result.declined[0].hasPrefix("shared-input: its weight or bias is computed behind"))
  }

  @Test func aProductThatAConcatJoinsWritesItsResultThere() throws {
    let result = try remarks { graph, x, weights in
      let products = weights.map { weight in
        let sum = graph.emit(
          "Add",
          [
            graph.emit("MatMul", [x, weight]),
            graph.constant([Float](repeating: 2, count: 56), shape: .vector(56)),
          ])
        return graph.emit("Reshape", [sum, graph.integers(60, 56)])
      }
      return graph.emit("Concat", [products[0], products[1]], [Attribute("axis", .int(1))])
    }
    #expect(!result.changes.contains { $0.hasPrefix("shared-input") })
    let reason = "shared-input: it writes its result where a Concat joins it"
    #expect(result.declined == [reason, reason])
  }

  @Test func productsOfDifferentOperandsStayAlone() throws {
    let result = try remarks { graph, x, weights in
      let other = graph.emit("Neg", [x])
      let products = [
        graph.emit("MatMul", [x, weights[0]]), graph.emit("MatMul", [other, weights[1]]),
      ]
      return graph.emit("Max", products)
    }
    #expect(result.changes.isEmpty && result.declined.isEmpty)
  }

  @Test func aGateOrAResidualStaysWithItsProduct() throws {
    let result = try remarks { graph, x, weights in
      graph.emit(
        "Add", [graph.emit("MatMul", [x, weights[0]]), graph.emit("MatMul", [x, weights[1]])])
    }
    #expect(result.changes == ["fused-linear: a product with addend"])
    #expect(result.declined == ["shared-input: the product has a factor or addend"])
  }

  @Test func productsThatRoundOtherwiseStayApart() throws {
    var noise = Noise()
    var graph = Graph(opsets: ["": 20, "ai.ditcache": 1])
    let x = graph.addInput("x", type: .float32(9, 40))
    for (number, precision) in ["float32", "bfloat16", "float32"].enumerated() {
      let weight = graph.addInitializer("w", .init(try noise.tensor(40, 16)))
      graph.addOutput(
        graph.emit(
          .fused("FusedLinear"), [x, weight], [Attribute("precision", .text(precision))],
          name: Name("y\(number)")))
    }
    let engine = try Engine(
      graph, options: EngineOptions(threads: 1),
      operators: .standard.adding(OperatorTable.fusedTypes))
    let report = try #require(
      try engine.plan(for: ["x": Shape([9, 40])]).fusions.first { $0.pass == "shared-input" })
    #expect(report.changes.map(\.message) == ["computed with ai.ditcache.FusedLinear 'y2'"])
    #expect(
      report.declined.map(\.message)
        == ["the product rounds its factors otherwise than ai.ditcache.FusedLinear 'y0'"])
  }
}
