import GraphIR
import Interpreter
import Operators
import Rewrite
import Tensors
import Testing

@Suite struct ElementwiseFusionTests {
  private func feeds(_ names: [Name], _ dimensions: [Int] = [30, 40]) throws -> [Name: Tensor] {
    var noise = Noise()
    var result: [Name: Tensor] = [:]
    for name in names {
      result[name] = try noise.tensor(dimensions.reduce(1, *)).contiguous()
        .view(shape: Shape(dimensions), strides: Shape(dimensions).rowMajorStrides)
    }
    return result
  }

  /// Builds a graph over inputs [30, 40] and expects the bits of its operators.
  private func result(
    _ names: [Name] = ["a", "b"],
    _ build: (_ graph: inout Graph, _ inputs: [ValueID]) throws -> Void,
    feeding others: () throws -> [Name: Tensor] = { [:] }
  ) throws -> FusionHarness {
    var graph = Graph(opsets: ["": 20])
    let inputs = names.map { graph.addInput($0, type: .float32(30, 40)) }
    try build(&graph, inputs)
    let all = try feeds(names).merging(others()) { own, _ in own }
    return try FusionHarness(graph, all, tolerance: 0)
  }

  @Test func aForecastIsOneChain() throws {
    let result = try result(["a", "b", "c"]) { graph, x in
      let first = graph.emit("Mul", [x[1], graph.scalar(0.3)])
      let second = graph.emit("Mul", [x[2], graph.scalar(0.045)])
      let sum = graph.emit("Add", [graph.emit("Add", [x[0], first]), second])
      graph.addOutput(graph.emit("Identity", [sum], name: "y"))
    }
    #expect(
      result.changes == [
        "elementwise-chain: 4 steps in one pass: multiply, multiply, add, add"
      ])
  }

  @Test func gatedActivationsAndReadersOfOneValueTwiceAreOneChain() throws {
    let result = try result { graph, x in
      let silu = graph.emit("Mul", [x[0], graph.emit("Sigmoid", [x[0]])])
      let gated = graph.emit("Mul", [silu, x[1]])
      let sum = graph.emit("Sum", [gated, graph.emit("Mul", [gated, gated]), x[0]])
      graph.addOutput(graph.emit("Pow", [sum, graph.scalar(2)], name: "y"))
    }
    #expect(
      result.changes == [
        "elementwise-chain: 7 steps in one pass: sigmoid, multiply, multiply, multiply, add and 2 more"
      ])
  }

  @Test func partsOfSplitsBroadcastsAndTransposedViewsAreOperands() throws {
    var graph = Graph(opsets: ["": 20])
    let x = graph.addInput("x", type: .float32(4, 50, 80))
    let row = graph.addInput("row", type: .float32(1, 1, 40))
    let halves = (0..<2).map { part in
      graph.emit(
        "Slice",
        [x, graph.integers(40 * part), graph.integers(40 * part + 40), graph.integers(-1)])
    }
    let gated = graph.emit("Mul", [graph.emit("Tanh", [halves[0]]), halves[1]])
    let turned = graph.permuted(graph.addInput("t", type: .float32(40, 4, 50)), 1, 2, 0)
    let sum = graph.emit("Add", [graph.emit("Mul", [gated, row]), turned])
    graph.addOutput(graph.emit("Identity", [sum], name: "y"))
    var noise = Noise()
    let result = try FusionHarness(
      graph,
      [
        "x": noise.tensor(4, 50, 80), "row": noise.tensor(1, 1, 40), "t": noise.tensor(40, 4, 50),
      ], tolerance: 0)
    #expect(
      result.changes == [
        "elementwise-chain: 4 steps in one pass: hyperbolicTangent, multiply, multiply, add"
      ])
  }

  @Test(arguments: [DataType.float16, .bfloat16])
  func castsBetweenStepsRoundAsTheyDid(type: DataType) throws {
    var noise = Noise()
    let feeds: [Name: Tensor] = ["a": try noise.tensor(30, 40), "b": try noise.tensor(30, 40)]
    let result = try HalfHarness(type, feeds, isExact: true) { graph, type in
      let a = graph.addInput("a", type: .tensor(type, [30, 40]))
      let b = graph.addInput("b", type: .tensor(type, [30, 40]))
      let product = graph.emit("Mul", [a, b])
      let wide = graph.emit("Exp", [graph.cast(product, to: .float32)])
      let rounded = graph.cast(wide, to: type)
      let both = graph.emit(
        "Mul", [wide, graph.cast(graph.emit("Add", [rounded, a]), to: .float32)])
      graph.addOutput(graph.emit("Sub", [graph.cast(both, to: type), b], name: "y"))
    }
    #expect(result.changes.count == 1)
    #expect(result.changes[0].contains("6 steps in one pass"), "\(result.changes)")
  }

  @Test func castsAloneAreAChain() throws {
    var noise = Noise()
    let feeds: [Name: Tensor] = ["a": try noise.tensor(30, 40)]
    for targets in [[DataType.float32, .float32], [.float32, .bfloat16, .float32, .float32]] {
      let result = try HalfHarness(.float16, feeds, isExact: true) { graph, type in
        var value = graph.addInput("a", type: .tensor(type, [30, 40]))
        for target in targets.dropLast() { value = graph.cast(value, to: target) }
        graph.addOutput(
          graph.emit(
            "Cast", [value], [Attribute("to", .int(Int(targets[targets.count - 1].rawValue)))],
            name: "y"))
      }
      #expect(result.declined.isEmpty)
    }
  }

  @Test func sumsOfManyOperandsStay() throws {
    var graph = Graph(opsets: ["": 20])
    let x = graph.addInput("x", type: .float32(3))
    let parts = (0..<5_000).map { graph.emit("Mul", [x, graph.scalar(Float($0))]) }
    graph.addOutput(graph.emit("Exp", [graph.emit("Sum", parts, name: "s")], name: "y"))
    let result = try FusionHarness(
      graph, ["x": Tensor([Float(0), 1e-5, -1e-5])], tolerance: 0, threads: 1)
    #expect(!result.changes.contains { $0.hasPrefix("elementwise-chain") })
    #expect(result.declined == ["elementwise-chain: Sum 's': it has 5000 operands"])
  }

  @Test func longChainsAreCut() throws {
    let result = try result { graph, x in
      var value = x[0]
      for _ in 0..<20 { value = graph.emit("Add", [graph.emit("Neg", [value]), x[1]]) }
      graph.addOutput(graph.emit("Identity", [value], name: "y"))
    }
    let counts = result.changes.map { $0.split(separator: " ")[1] }
    #expect(counts == ["8", "16", "16"])
  }

  @Test func aHundredThousandOperatorsInARowAreFused() throws {
    var graph = Graph(opsets: ["": 20])
    var value = graph.addInput("x", type: .float32(2))
    for _ in 0..<100_000 {
      value = graph.emit("Neg", [value], type: .float32(2))
    }
    graph.addOutput(value)
    let engine = try Engine(graph, options: EngineOptions(threads: 1))
    let plan = try engine.plan(for: [:])
    #expect(plan.statistics.stepCount == 6_250)
    let output = try engine.run(["x": Tensor([Float(1), -2])]).values.first
    #expect(output?.elements(as: Float.self) == [1, -2])
  }

  @Test func whatIsReadElsewhereOrAnOutputStays() throws {
    let result = try result { graph, x in
      let sum = graph.emit("Add", [x[0], x[1]])
      graph.addOutput(graph.emit("Exp", [sum], name: "y"))
      graph.addOutput(graph.emit("Softmax", [sum], name: "z"))
      let difference = graph.emit("Sub", [x[0], x[1]], name: "d")
      graph.addOutput(difference)
      graph.addOutput(graph.emit("Abs", [difference], name: "m"))
    }
    #expect(result.changes.isEmpty)
    #expect(
      result.declined == [
        "elementwise-chain: Sub 'd' is an output",
        "elementwise-chain: Add 'v2' is read by others, too",
      ])
  }

  @Test func smallerPartsConstantsAndIntegersStay() throws {
    var noise = Noise()
    let stored = StoredTensor(try noise.tensor(30, 40))
    let result = try result(["a"]) { graph, x in
      let table = graph.addInitializer("table", stored)
      let factor = graph.emit("Add", [graph.emit("Sin", [table]), graph.scalar(1)])
      let row = graph.addInput("row", type: .float32(40))
      let count = graph.addInput("n", type: .tensor(.int64, [40]))
      let small = graph.emit("Exp", [row], name: "small")
      graph.addOutput(
        graph.emit("Mul", [graph.emit("Mul", [x[0], factor], name: "p"), small], name: "y"))
      let shifted = graph.emit("Add", [count, count], name: "i")
      let wide = graph.emit(
        "Cast", [graph.emit("Neg", [shifted])], [Attribute("to", .int(1))])
      graph.addOutput(graph.emit("Sqrt", [graph.emit("Abs", [wide])], name: "w"))
    } feeding: {
      ["row": try noise.tensor(40), "n": Tensor((0..<40).map { Int64($0) })]
    }
    #expect(
      result.changes
        == [
          "elementwise-chain: 2 steps in one pass: multiply, multiply",
          "elementwise-chain: 2 steps in one pass: absolute, squareRoot",
        ])
  }

  /// What is fused must not keep more memory for longer.
  @Test func operandsThatWouldOutliveOtherWorkStay() throws {
    func graph(working: Bool) -> Graph {
      var graph = Graph(opsets: ["": 20])
      let names: [Name] = ["a", "b", "c"]
      let x = names.map { graph.addInput($0, type: .float32(300, 300)) }
      let parts = (0..<2).map { graph.emit("Softmax", [x[$0]], [Attribute("axis", .int($0))]) }
      let sum = graph.emit("Add", parts, name: "sum")
      let other = working ? graph.emit("MatMul", [x[2], x[2]]) : x[2]
      let last = working ? graph.emit("Softmax", [other]) : other
      graph.addOutput(graph.emit("Mul", [sum, last], name: "y"))
      return graph
    }
    let inputs = try feeds(["a", "b", "c"], [300, 300])
    let apart = try FusionHarness(graph(working: true), inputs)
    #expect(
      apart.declined == [
        "elementwise-chain: the operands of Add 'sum' would be kept for longer"
      ])
    let together = try FusionHarness(graph(working: false), inputs, tolerance: 0)
    #expect(together.changes == ["elementwise-chain: 2 steps in one pass: add, multiply"])
  }

  @Test func aTraceNamesTheSteps() throws {
    var graph = Graph(opsets: ["": 20])
    let x = graph.addInput("x", type: .float32(4))
    graph.addOutput(graph.emit("Neg", [graph.emit("Exp", [x])], name: "y"))
    let trace = TraceSink()
    _ = try Engine(graph).run(["x": Tensor([Float(1), 2, 3, 4])], trace: trace)
    #expect(
      trace.events.map(\.name) == ["ai.ditcache.FusedElementwise 'y (exponential, negate)'"])
  }

  @Test func hiddenLayersOfGatedNetworksAreWrittenRounded() throws {
    guard ComputeThreads.multipliesBFloat16 else { return }
    var noise = Noise()
    var graph = Graph(opsets: ["": 20])
    let x = graph.addInput("x", type: .float32(64, 40))
    let weights = try (0..<2).map { _ in
      graph.addInitializer("w", StoredTensor(try noise.tensor(40, 90)))
    }
    let down = graph.addInitializer("down", StoredTensor(try noise.tensor(90, 40)))
    let (gate, up) = (
      graph.emit("MatMul", [x, weights[0]]), graph.emit("MatMul", [x, weights[1]])
    )
    let silu = graph.emit("Mul", [gate, graph.emit("Sigmoid", [gate])])
    let hidden = graph.emit("Mul", [silu, up])
    graph.addOutput(graph.emit("MatMul", [hidden, down], name: "y"))
    let options = EngineOptions(
      threads: 1, checksResultTypes: true, matrixPrecision: .bfloat16)
    let engine = try Engine(graph, options: options)
    let feeds: [Name: Tensor] = ["x": try noise.tensor(64, 40)]
    let plan = try engine.plan(for: feeds.mapValues(\.shape))
    let rounded = plan.fusions.filter { $0.pass == "rounded-activations" }.flatMap(\.changes)
    #expect(rounded.count == 1)
    var open = graph
    open.addOutput(open.emit("Neg", [hidden], name: "hidden"))
    let due = try Engine(open, options: options).run(feeds)["y"]
    #expect(
      try engine.run(feeds)["y"]?.elements(as: Float.self) == due?.elements(as: Float.self))
  }
}
