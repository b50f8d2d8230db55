import GraphIR
import Interpreter
import Operators
import Tensors
import Testing

@Suite struct AttentionFusionTests {
  /// The forms in which exporters write attention out.
  enum Form: String, CaseIterable {
    case scaledSides, scaledScores, dividedScores, keysThroughThreeAxes, masked, safe
  }

  private func graph(_ form: Form, batch: Int = 1) -> Graph {
    var graph = Graph(opsets: ["": 20])
    let (heads, size) = (3, 8)
    func input(_ name: Name, _ length: Int) -> ValueID {
      let flat = graph.addInput(name, type: .float32(.init(batch), .init(length), 24))
      let split = graph.emit("Reshape", [flat, graph.integers(batch, length, heads, size)])
      return graph.permuted(split, 0, 2, 1, 3)
    }
    var query = input("q", 37)
    let (key, value) = (input("k", 45), input("v", 45))
    var turned: ValueID
    if form == .keysThroughThreeAxes {
      let three = graph.emit("Reshape", [key, graph.integers(-1, 45, size)])
      turned = graph.emit(
        "Reshape", [graph.permuted(three, 0, 2, 1), graph.integers(batch, heads, size, 45)])
    } else {
      turned = graph.permuted(key, 0, 1, 3, 2)
    }
    if form == .scaledSides || form == .keysThroughThreeAxes {
      let root = graph.constant([Float(0.6)], shape: .vector(1))
      query = graph.emit("Mul", [query, root])
      turned = graph.emit("Mul", [turned, root])
    }
    var scores = graph.emit("MatMul", [query, turned])
    if form == .scaledScores { scores = graph.emit("Mul", [scores, graph.scalar(0.35)]) }
    if form == .dividedScores { scores = graph.emit("Div", [scores, graph.scalar(2.8)]) }
    if form == .masked || form == .safe {
      let mask = graph.addInput("mask", type: .float32(.init(batch), 1, 37, 45))
      scores = graph.emit("Add", [scores, mask])
    }
    var weights = graph.emit("Softmax", [scores], [Attribute("axis", .int(-1))])
    if form == .safe {
      let test = graph.emit("IsNaN", [weights])
      weights = graph.emit("Where", [test, graph.scalar(0), weights])
    }
    let sums = graph.permuted(graph.emit("MatMul", [weights, value]), 0, 2, 1, 3)
    graph.addOutput(graph.emit("Reshape", [sums, graph.integers(batch, 37, 24)], name: "y"))
    return graph
  }

  private func feeds(_ form: Form, batch: Int) throws -> [Name: Tensor] {
    var noise = Noise()
    var feeds: [Name: Tensor] = [
      "q": try noise.tensor(batch, 37, 24), "k": try noise.tensor(batch, 45, 24),
      "v": try noise.tensor(batch, 45, 24),
    ]
    if form == .masked || form == .safe {
      var mask = try noise.tensor(batch, 1, 37, 45).elements(as: Float.self)
      for i in mask.indices where i % 7 == 3 || i / 45 % 37 == 5 { mask[i] = -.infinity }
      feeds["mask"] = Tensor(mask, shape: try Shape([batch, 1, 37, 45]))
    }
    return feeds
  }

  @Test(arguments: Form.allCases, [1, 2])
  func everyFormGivesWhatItsPartsGive(form: Form, batch: Int) throws {
    let result = try FusionHarness(
      graph(form, batch: batch), feeds(form, batch: batch), tolerance: 2e-6)
    #expect(result.changes.contains { $0.hasPrefix("fused-attention") })
    #expect(result.declined.isEmpty)
  }

  @Test(arguments: [-Float.infinity, -Float.greatestFiniteMagnitude])
  func rowsThatAreMaskedAsAWholeAreWhatSoftmaxMakesOfThem(hidden: Float) throws {
    var feeds = try feeds(.masked, batch: 1)
    let shape = try Shape([1, 1, 37, 45])
    feeds["mask"] = Tensor((0..<37 * 45).map { $0 / 45 % 2 == 0 ? hidden : 0 }, shape: shape)
    try FusionHarness(graph(.masked), feeds, tolerance: 2e-6)
    try FusionHarness(graph(.safe), feeds, tolerance: 2e-6)
  }

  @Test func manyKeysAndTokensAreLookedAtInTiles() throws {
    var graph = Graph(opsets: ["": 20])
    let q = graph.addInput("q", type: .float32(2, 300, 40))
    let k = graph.addInput("k", type: .float32(2, 40, 700))
    let v = graph.addInput("v", type: .float32(2, 700, 50))
    let weights = graph.emit("Softmax", [graph.emit("MatMul", [q, k])])
    graph.addOutput(graph.emit("MatMul", [weights, v], name: "y"))
    var noise = Noise()
    let feeds: [Name: Tensor] = [
      "q": try noise.tensor(2, 300, 40), "k": try noise.tensor(2, 40, 700),
      "v": try noise.tensor(2, 700, 50),
    ]
    for threads in [1, 3] {
      let result = try FusionHarness(graph, feeds, tolerance: 2e-6, threads: threads)
      #expect(result.changes == ["fused-attention: attention in tiles"])
    }
  }

  @Test func otherHeadsOfKeysAreNotFused() throws {
    var graph = Graph(opsets: ["": 20])
    let q = graph.addInput("q", type: .float32(4, 16, 8))
    let k = graph.addInput("k", type: .float32(1, 8, 9))
    let v = graph.addInput("v", type: .float32(1, 9, 8))
    let weights = graph.emit("Softmax", [graph.emit("MatMul", [q, k])])
    graph.addOutput(graph.emit("MatMul", [weights, v], name: "y"))
    var noise = Noise()
    let feeds: [Name: Tensor] = [
      "q": try noise.tensor(4, 16, 8), "k": try noise.tensor(1, 8, 9),
      "v": try noise.tensor(1, 9, 8),
    ]
    let result = try FusionHarness(graph, feeds)
    #expect(
      result.declined == ["fused-attention: queries and keys have different batches or heads"])
  }

  @Test func theOperatorRoundsItsFactorsWhereProductsDo() throws {
    var graph = Graph(opsets: ["": 23])
    let sides = ["q", "k", "v"].map { graph.addInput($0, type: .float32(2, 3, 50, 16)) }
    let mask = graph.addInput("m", type: .tensor(.bool, [1, 1, 50, 50]))
    graph.addOutput(graph.emit("Attention", sides + [mask], name: "y"))
    var noise = Noise()
    var feeds: [Name: Tensor] = [:]
    for name in ["q", "k", "v"] { feeds[Name(name)] = try noise.tensor(2, 3, 50, 16) }
    feeds["m"] = Tensor((0..<2500).map { $0 % 7 != 3 }, shape: try Shape([1, 1, 50, 50]))
    let exact = try #require(try Engine(graph).run(feeds)["y"]).elements(as: Float.self)
    let engine = try Engine(graph, options: EngineOptions(matrixPrecision: .bfloat16))
    let rounded = try #require(try engine.run(feeds)["y"]).elements(as: Float.self)
    let differences = zip(exact, rounded).map { abs($0 - $1) }
    #expect(differences.allSatisfy { $0 < 0x1p-7 })
    #expect(differences.contains { $0 > 0x1p-13 } == ComputeThreads.multipliesBFloat16)
  }
}
