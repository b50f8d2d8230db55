import GraphIR
import Rewrite
import Tensors
import Testing

@Suite("PassPipeline") struct PipelineTests {
  /// A pass made of a closure.
  struct Step: Pass {
    let name: String
    let body: @Sendable (inout Graph, inout PassReport) throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (inout Graph, inout PassReport) throws -> Void)
    {
      self.name = name
      self.body = body
    }

    func run(on graph: inout Graph, report: inout PassReport) throws { try body(&graph, &report) }
  }

  private static let rename = Step("rename") { graph, report in
    graph.name = "renamed"
    report.changed("graph", "renamed")
  }

  private static let breakOutputs = Step("break-outputs") { graph, _ in
    graph.addOutput(graph.makeValue("nobody"))
  }

  @Test("passes run in order and each reports under its name")
  func order() throws {
    var graph = Chains.chain(["Relu"])
    let second = Step("second") { graph, report in
      report.decline("graph", "the name is \(graph.name)")
    }
    let reports = try PassPipeline([Self.rename, second]).run(on: &graph)
    #expect(reports.map(\.pass) == ["rename", "second"])
    #expect(reports[0].changes.map(\.message) == ["renamed"])
    #expect(reports[1].declined.map(\.message) == ["the name is renamed"])
    #expect(graph.name == "renamed")
  }

  @Test("the pass that breaks the graph is named, and the caller's graph stays as it was")
  func brokenGraph() throws {
    var graph = Chains.chain(["Relu"])
    let before = graph.text()
    let failure = try #require(throws: PassFailure.self) {
      try PassPipeline([Self.rename, Self.breakOutputs, Self.rename]).run(on: &graph)
    }
    #expect(failure.code == "pass-broke-graph")
    #expect(failure.place == "pass 'break-outputs', value 'nobody'")
    #expect(failure.category == .internalFault)
    #expect(graph.text() == before)
  }

  @Test("an error of a pass keeps its code, place, hint and kind")
  func passError() throws {
    var graph = Chains.chain(["Relu"])
    let cause = GraphError(
      "too-odd", at: "value 'x'", "the value is odd", hint: "make it even", category: .unsupported)
    let failing = Step("fail") { _, _ in throw cause }
    let failure = try #require(throws: PassFailure.self) {
      try PassPipeline([Self.rename, failing]).run(on: &graph)
    }
    #expect(failure.code == cause.code)
    #expect(failure.place == "pass 'fail', value 'x'")
    #expect(failure.message == cause.message)
    #expect(failure.hint == cause.hint)
    #expect(failure.category == .unsupported)
    #expect(graph.name == "chain")
  }

  @Test("an error without a code is a fault of this software")
  func plainError() throws {
    struct Plain: Error {}
    var graph = Chains.chain(["Relu"])
    let failure = try #require(throws: PassFailure.self) {
      try PassPipeline([Step("fail") { _, _ in throw Plain() }]).run(on: &graph)
    }
    #expect(failure.code == "pass-failed")
    #expect(failure.place == "pass 'fail'")
    #expect(failure.category == .internalFault)
  }
}
