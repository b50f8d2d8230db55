import GraphIR
import Interpreter
import Tensors
import Testing

@Suite struct NormFusionTests {
  /// How a root mean square norm is written out.
  enum Form: CaseIterable { case powerAndReciprocal, productAndQuotient }

  @Test(arguments: Form.allCases) func rootMeanSquareNormsAreOnePass(form: Form) throws {
    var noise = Noise()
    var graph = Graph(opsets: ["": 20])
    let x = graph.addInput("x", type: .float32(2, 7, 30))
    let squares =
      form == .powerAndReciprocal
      ? graph.emit("Pow", [x, graph.scalar(2)]) : graph.emit("Mul", [x, x])
    let mean = graph.emit("ReduceMean", [squares, graph.integers(-1)])
    let root = graph.emit("Sqrt", [graph.emit("Add", [mean, graph.scalar(1e-6)])])
    let normal =
      form == .powerAndReciprocal
      ? graph.emit("Mul", [x, graph.emit("Reciprocal", [root])]) : graph.emit("Div", [x, root])
    let weight = graph.addInitializer("w", StoredTensor(try noise.tensor(30)))
    graph.addOutput(graph.emit("Mul", [normal, weight], name: "y"))
    let result = try FusionHarness(graph, ["x": noise.tensor(2, 7, 30)], tolerance: 1e-6)
    #expect(result.changes == ["fused-rms-norm: a norm in one pass"])
  }

  @Test func aMeanOfOtherAxesIsNotANorm() throws {
    var graph = Graph(opsets: ["": 20])
    let x = graph.addInput("x", type: .float32(2, 7, 30))
    let mean = graph.emit(
      "ReduceMean", [graph.emit("Mul", [x, x]), graph.integers(1)])
    let root = graph.emit("Sqrt", [graph.emit("Add", [mean, graph.scalar(1e-6)])])
    graph.addOutput(graph.emit("Div", [x, root], name: "y"))
    var noise = Noise()
    let result = try FusionHarness(graph, ["x": noise.tensor(2, 7, 30)], tolerance: 0)
    #expect(result.declined == ["fused-rms-norm: the mean is not along the last axis"])
  }

  @Test(arguments: [[1, 1, 30], [2, 1, 30], [2, 7, 30]])
  func modulationKeepsTheBitsOfItsParts(shape: [Int]) throws {
    var noise = Noise()
    var graph = Graph(opsets: ["": 20])
    let x = graph.addInput("x", type: .float32(2, 7, 30))
    let factor = graph.addInput("f", type: .float32(.init(shape[0]), .init(shape[1]), 30))
    let shift = graph.addInput("s", type: .float32(.init(shape[0]), 1, 30))
    let ones = graph.constant([Float](repeating: 1, count: 30), shape: .vector(30))
    let normal = graph.emit("LayerNormalization", [x, ones], [Attribute("axis", .int(-1))])
    let product = graph.emit("Mul", [normal, factor])
    graph.addOutput(graph.emit("Add", [product, shift], name: "y"))
    let feeds: [Name: Tensor] = [
      "x": try noise.tensor(2, 7, 30), "f": try noise.tensor(shape[0], shape[1], 30),
      "s": try noise.tensor(shape[0], 1, 30),
    ]
    let result = try FusionHarness(graph, feeds, tolerance: 0)
    #expect(result.changes == ["fused-modulation: a norm with its modulation"])
  }
}
