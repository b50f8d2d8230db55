import GraphIR
import Rewrite
import Tensors
import Testing

@Suite("GraphEditor") struct GraphEditorTests {
  /// Replaces each operator of a row by `Identity`, redirecting one result to the next.
  struct Forward: RewriteRule {
    static let name = "forward"
    static let roots: Set<OpKey> = ["Relu"]

    func match(
      _ node: NodeID, in context: MatchContext
    ) throws(MatchFailure) -> (NodeID, ValueID, ValueID) {
      guard let operand = context.graph[node].inputs[0], let result = context.graph[node].outputs[0]
      else { throw .notThisPattern }
      return (node, operand, result)
    }

    func rewrite(_ match: (NodeID, ValueID, ValueID), with editor: inout GraphEditor) -> String {
      editor.remove(match.0)
      editor.redirect(match.2, to: match.1)
      return "skipped"
    }
  }

  /// Removes an operator and the one before it, leaving a constant and a product behind.
  struct Pair: RewriteRule {
    static let name = "pair"
    static let roots: Set<OpKey> = ["Relu"]

    func match(
      _ node: NodeID, in context: MatchContext
    ) throws(MatchFailure) -> (NodeID, NodeID, ValueID, ValueID) {
      guard let middle = context.graph[node].inputs[0],
        let first = context.producer(of: middle, "Relu"),
        let operand = context.graph[first].inputs[0], let result = context.graph[node].outputs[0]
      else { throw .notThisPattern }
      return (first, node, operand, result)
    }

    func rewrite(
      _ match: (NodeID, NodeID, ValueID, ValueID), with editor: inout GraphEditor
    ) -> String {
      let factor = editor.addInitializer("factor", StoredTensor(Tensor([Float(2)])))
      let product = editor.makeValue(like: "product", type: Chains.vector)
      editor.insert(
        Node("Mul", inputs: [match.2, factor], outputs: [product]), before: match.1)
      editor.remove(match.0)
      editor.remove(match.1)
      editor.redirect(match.3, to: product)
      return "joined"
    }
  }

  @Test("a redirect to a value that is itself redirected ends at the last one")
  func redirectChain() throws {
    var graph = Chains.chain(["Neg", "Relu", "Relu", "Relu", "Abs"])
    let reports = try PassPipeline([RulePass(Forward())]).run(on: &graph)
    #expect(reports[0].changes.count == 3)
    #expect(Chains.operators(graph) == ["Neg", "Abs"])
    #expect(graph[graph.order[1]].inputs.map { $0.map { graph.name(of: $0) } } == ["v0"])
  }

  @Test("redirects reach outputs, the state pairs that end in them, and captures")
  func everyReader() throws {
    var graph = Chains.chain(["Neg", "Relu"])
    let state = graph.addInput("state", type: Chains.vector)
    graph.addStatePair(StatePair(input: state, output: graph.outputs[0]))
    var branch = Graph(name: "branch")
    branch.addOutput(branch.emit("Abs", [branch.addCapture("c", type: Chains.vector)]))
    let decision = graph.addInput("decision", type: .tensor(.bool, []))
    graph.emit(
      "If", [decision],
      [
        Attribute("then_branch", .graph(Subgraph(graph: branch, captures: [graph.outputs[0]])))
      ])
    _ = try PassPipeline([RulePass(Forward())]).run(on: &graph)
    let negated = try #require(graph.value(named: "v0"))
    #expect(graph.outputs == [negated])
    #expect(graph.statePairs.map(\.output) == [negated])
    #expect(graph[graph.order[1]].uses == [decision, negated])
  }

  @Test("a match that is dropped leaves no constant behind")
  func droppedConstants() throws {
    var graph = Chains.chain(["Relu", "Relu", "Relu"])
    let reports = try PassPipeline([RulePass(Pair())]).run(on: &graph)
    #expect(reports[0].changes.count == 1)
    #expect(Chains.operators(graph) == ["Mul", "Relu"])
    #expect(graph.initializerOrder.map { graph.name(of: $0) } == ["factor"])
  }
}
