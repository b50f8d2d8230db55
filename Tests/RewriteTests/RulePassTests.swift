import GraphIR
import Rewrite
import Tensors
import Testing

@Suite("RulePass") struct RulePassTests {
  private func run(
    _ pass: some Pass, on graph: inout Graph
  ) throws -> PassReport {
    try #require(try PassPipeline([pass]).run(on: &graph).first)
  }

  @Test("a rule is applied wherever it matches and the reports name the places")
  func everywhere() throws {
    var graph = Chains.chain(["Neg", "Neg", "Abs", "Neg", "Neg", "Relu"])
    let report = try run(RulePass(DoubleNegation()), on: &graph)
    #expect(Chains.operators(graph) == ["Abs", "Relu"])
    #expect(report.pass == "double-negation")
    #expect(report.changes.map(\.place) == ["Neg 'v1'", "Neg 'v4'"])
    #expect(report.changes.map(\.message) == ["both removed", "both removed"])
    #expect(graph[graph.order[0]].inputs == [graph.inputs[0]])
  }

  @Test("overlapping matches are dropped whole and tried again in the next round")
  func overlap() throws {
    var odd = Chains.chain(["Neg", "Neg", "Neg"])
    #expect(try run(RulePass(DoubleNegation()), on: &odd).changes.map(\.place) == ["Neg 'v1'"])
    #expect(Chains.operators(odd) == ["Neg"])
    #expect(odd[odd.order[0]].inputs == [odd.inputs[0]])
    var even = Chains.chain(["Neg", "Neg", "Neg", "Neg"])
    #expect(try run(RulePass(DoubleNegation()), on: &even).changes.count == 2)
    #expect(even.order.isEmpty)
    #expect(even.outputs == even.inputs)
  }

  @Test("what one match leaves is what the next round sees")
  func rounds() throws {
    var graph = Chains.chain(["Neg", "Neg", "Neg", "Neg", "Neg", "Neg", "Neg", "Abs"])
    _ = try run(RulePass(DoubleNegation()), on: &graph)
    #expect(Chains.operators(graph) == ["Neg", "Abs"])
  }

  @Test("a declined match leaves the graph alone and is reported once, not once a round")
  func declined() throws {
    var graph = Chains.chain(["Neg", "Neg", "Abs", "Neg", "Neg"])
    let shared = try #require(graph.value(named: "v0"))
    graph.addOutput(shared)
    let report = try run(RulePass(DoubleNegation()), on: &graph)
    #expect(report.changes.map(\.place) == ["Neg 'v4'"])
    #expect(report.declined.map(\.place) == ["Neg 'v1'"])
    #expect(report.declined.map(\.message) == ["the inner negation has other readers"])
    #expect(Chains.operators(graph) == ["Neg", "Neg", "Abs"])
  }

  @Test("a graph without matches is not touched")
  func noMatch() throws {
    var graph = Chains.chain(["Relu", "Neg", "Abs"])
    let before = graph.text()
    let report = try run(RulePass(DoubleNegation()), on: &graph)
    #expect(report == PassReport(pass: "double-negation"))
    #expect(graph.text() == before)
  }

  @Test("new nodes stand where the old ones stood")
  func insertion() throws {
    var graph = Chains.chain(["Relu", "Neg", "Abs", "Neg"])
    let report = try run(RulePass(NegationAsProduct()), on: &graph)
    #expect(report.changes.count == 2)
    #expect(Chains.operators(graph) == ["Relu", "Mul", "Abs", "Mul"])
    #expect(graph.initializerOrder.count == 2)
    #expect(graph.name(of: graph.outputs[0]) == "product_1")
  }
}
