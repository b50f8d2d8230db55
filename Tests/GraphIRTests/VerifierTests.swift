import GraphIR
import Tensors
import Testing

@Suite("Graph.verify") struct VerifierTests {
  private func code(_ graph: Graph) -> String? {
    do throws(GraphError) {
      try graph.verify()
      return nil
    } catch {
      return error.code
    }
  }

  @Test("sound graphs pass, with subgraphs, cache nodes and state")
  func sound() {
    #expect(code(Samples.chain().graph) == nil)
    #expect(code(Samples.branches().graph) == nil)
    #expect(code(Samples.cached().graph) == nil)
  }

  @Test("a read before the definition is found, and names node and value")
  func usedBeforeDefinition() throws {
    var graph = Samples.chain().graph
    graph.setOrder(graph.order.reversed())
    let error = try #require(throws: GraphError.self) { try graph.verify() }
    #expect(error.code == "used-before-definition")
    #expect(error.place == "Neg 'neg'")
    #expect(error.message.contains("'relu'"))
  }

  @Test("a capture that is computed later is a read before the definition")
  func captureBeforeDefinition() {
    var (graph, x, _) = Samples.branches()
    let late = graph.emit("Abs", [x], name: "late", type: Samples.vector)
    graph.replaceUses(of: x, with: late, except: [graph.order[1]])
    #expect(code(graph) == "used-before-definition")
  }

  @Test("two producers of a value are found")
  func assignedTwice() {
    var (graph, x, relu, _) = Samples.chain()
    graph.append(Node("Abs", inputs: [x], outputs: [relu]))
    #expect(code(graph) == "assigned-twice")
  }

  @Test("a node that computes an input, a capture or a constant is found")
  func assignedInput() {
    var (graph, x, relu, _) = Samples.chain()
    graph.append(Node("Abs", inputs: [relu], outputs: [x]))
    #expect(code(graph) == "assigned-twice")
    var other = Samples.chain().graph
    let constant = other.constant([Float(1)], shape: .vector(1), name: "one")
    other.append(Node("Abs", inputs: [constant], outputs: [constant]))
    #expect(code(other) == "assigned-twice")
  }

  @Test("an output that nothing computes is found")
  func undefinedOutput() {
    var graph = Samples.chain().graph
    graph.addOutput(graph.makeValue("nobody"))
    #expect(code(graph) == "undefined-output")
  }

  @Test("an order with a node twice, or with a removed node, is found")
  func badOrder() {
    var graph = Samples.chain().graph
    let order = graph.order
    graph.setOrder(order + [order[0]])
    #expect(code(graph) == "bad-order")
    graph.remove([order[1]])
    graph.setOrder(order)
    #expect(code(graph) == "bad-order")
  }

  @Test("a value of another graph is found")
  func foreignValue() {
    var graph = Samples.chain().graph
    let foreign = Samples.cached().graph.outputs[1]
    var small = Graph()
    small.addInput("x", type: .unknown)
    small.addOutput(small.emit("Neg", [foreign]))
    #expect(code(small) == "foreign-value")
    graph.addOutput(graph.outputs[0])
    #expect(code(graph) == nil)
  }

  @Test("a state pair must join an input and an output")
  func brokenStatePair() {
    var (graph, x, relu, neg) = Samples.chain()
    graph.addStatePair(StatePair(input: x, output: neg))
    #expect(code(graph) == nil)
    graph.addStatePair(StatePair(input: x, output: relu))
    #expect(code(graph) == "broken-state-pair")
  }

  @Test("a cache node whose bodies, slots or decision disagree is found")
  func brokenCacheNode() {
    func code(_ change: (inout Node) -> Void) -> String? {
      var (graph, id, _) = Samples.cached()
      var node = graph[id]
      change(&node)
      graph.replace(id, with: node)
      return self.code(graph)
    }
    #expect(code { _ in } == nil)
    #expect(code { $0.cache?.slots = [] } == "broken-cache-node")
    #expect(code { $0.cache?.streamCount = 2 } == "broken-cache-node")
    #expect(code { $0.inputs = [nil] } == "broken-cache-node")
    #expect(code { $0.inputs += $0.inputs } == "broken-cache-node")
    #expect(
      code { node in
        guard let output = node.cache?.reuse.graph.outputs.first else { return }
        node.cache?.reuse.graph.addOutput(output)
      } == "broken-cache-node")
  }

  @Test("rules hold inside subgraphs too")
  func nested() {
    var (graph, x, _) = Samples.branches()
    var broken = Samples.body("Relu", of: x, name: "broken")
    broken.graph.addOutput(broken.graph.makeValue("nobody"))
    graph.emit("If", [graph.inputs[0]], [Attribute("then_branch", .graph(broken))])
    #expect(code(graph) == "undefined-output")
  }
}
