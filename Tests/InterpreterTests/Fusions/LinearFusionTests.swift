import GraphIR
import Interpreter
import Tensors
import Testing

@Suite struct LinearFusionTests {
  private func feeds(rows: Int) throws -> [Name: Tensor] {
    var noise = Noise()
    return [
      "x": try noise.tensor(2, rows, 40), "r": try noise.tensor(2, rows, 56),
      "g": try noise.tensor(2, 1, 56),
    ]
  }

  private func graph(
    rows: Int, activation: [Attribute]?, gated: Bool, biasFirst: Bool = false
  ) throws -> Graph {
    var noise = Noise()
    var graph = Graph(opsets: ["": 20])
    let x = graph.addInput("x", type: .float32(2, .init(rows), 40))
    let residual = graph.addInput("r", type: .float32(2, .init(rows), 56))
    let gate = graph.addInput("g", type: .float32(2, 1, 56))
    let weight = graph.addInitializer("w", StoredTensor(try noise.tensor(40, 56)))
    let bias = graph.addInitializer("b", StoredTensor(try noise.tensor(56)))
    var value = graph.emit("MatMul", [x, weight])
    value = graph.emit("Add", biasFirst ? [bias, value] : [value, bias])
    if let activation { value = graph.emit("Gelu", [value], activation) }
    if gated { value = graph.emit("Mul", [gate, value]) }
    graph.addOutput(graph.emit("Add", [residual, value], name: "y"))
    return graph
  }

  @Test(arguments: [3, 50], [false, true])
  func biasGateAndResidualKeepTheBitsOfTheirParts(rows: Int, gated: Bool) throws {
    let result = try FusionHarness(
      graph(rows: rows, activation: nil, gated: gated), feeds(rows: rows), tolerance: 0)
    #expect(
      result.changes == [
        "fused-linear: a product with bias, \(gated ? "factor, " : "")addend"
      ])
  }

  @Test(arguments: [[], [Attribute("approximate", .text("tanh"))]])
  func activationsAreTakenIn(attributes: [Attribute]) throws {
    let result = try FusionHarness(
      graph(rows: 20, activation: attributes, gated: true, biasFirst: true), feeds(rows: 20))
    let name = attributes.isEmpty ? "gelu" : "gelu_tanh"
    #expect(result.changes == ["fused-linear: a product with bias, \(name), factor, addend"])
  }

  @Test func aProductThatOthersReadStaysAlone() throws {
    var graph = try graph(rows: 9, activation: nil, gated: false)
    let product = try #require(
      graph.order.first { graph[$0].op == "MatMul" }.flatMap { graph[$0].outputs[0] })
    graph.addOutput(graph.emit("Neg", [product], name: "z"))
    let result = try FusionHarness(graph, feeds(rows: 9), tolerance: 0)
    #expect(!result.changes.contains { $0.hasPrefix("fused-linear") })
    #expect(result.declined == ["fused-linear: the product is read by several nodes"])
  }

  @Test func ofTwoProductsThatAreAddedOneTakesTheOther() throws {
    var noise = Noise()
    var graph = Graph(opsets: ["": 20])
    let x = graph.addInput("x", type: .float32(2, 9, 40))
    let weights = try (0..<2).map { index in
      graph.addInitializer(Name("w\(index)"), StoredTensor(try noise.tensor(40, 56)))
    }
    let products = weights.map { graph.emit("MatMul", [x, $0]) }
    graph.addOutput(graph.emit("Add", products, name: "y"))
    let result = try FusionHarness(graph, ["x": noise.tensor(2, 9, 40)])
    #expect(result.changes == ["fused-linear: a product with addend"])
  }
}
