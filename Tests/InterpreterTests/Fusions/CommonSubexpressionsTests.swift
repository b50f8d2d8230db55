import GraphIR
import Interpreter
import Tensors
import Testing

@Suite struct CommonSubexpressionsTests {
  private func graph(
    _ build: (_ graph: inout Graph, _ x: ValueID) -> Void, size: Int = 30
  ) -> Graph {
    var graph = Graph(opsets: ["": 20])
    let x = graph.addInput("x", type: .float32(.init(size), 40))
    build(&graph, x)
    return graph
  }

  private func result(_ graph: Graph, size: Int = 30) throws -> FusionHarness {
    var noise = Noise()
    return try FusionHarness(graph, ["x": noise.tensor(size, 40)], tolerance: 0)
  }

  private func count(_ result: FusionHarness) -> Int {
    result.changes.count { $0.hasPrefix("common-subexpressions") }
  }

  @Test func chainsThatRepeatAreComputedOnce() throws {
    let graph = graph { graph, x in
      let ends = (0..<3).map { _ in
        graph.emit("Exp", [graph.emit("Elu", [x], [Attribute("alpha", .float(0.5))])])
      }
      graph.addOutput(graph.emit("Sum", ends, name: "y"))
    }
    #expect(try count(result(graph)) == 4)
  }

  @Test func otherAttributesOrOperandsAreOtherExpressions() throws {
    let graph = graph { graph, x in
      let a = graph.emit("Elu", [x], [Attribute("alpha", .float(0.5))])
      let b = graph.emit("Elu", [x], [Attribute("alpha", .float(0.25))])
      let c = graph.emit("Elu", [a], [Attribute("alpha", .float(0.5))])
      graph.addOutput(graph.emit("Sum", [a, b, c, graph.emit("Sub", [a, b])], name: "y"))
      graph.addOutput(graph.emit("Sub", [b, a], name: "z"))
    }
    #expect(try count(result(graph)) == 0)
  }

  @Test func outputsAndLargeResultsStay() throws {
    let outputs = graph { graph, x in
      graph.addOutput(graph.emit("Exp", [x], name: "y"))
      graph.addOutput(graph.emit("Exp", [x], name: "z"))
    }
    let named = try result(outputs)
    #expect(named.declined == ["common-subexpressions: the result is an output"])
    let size = 8000
    let large = graph(
      { graph, x in
        let sum = graph.emit("Add", [graph.emit("Exp", [x]), graph.emit("Exp", [x])])
        graph.addOutput(graph.emit("Neg", [sum], name: "y"))
      }, size: size)
    #expect(
      try result(large, size: size).declined == [
        "common-subexpressions: the result, of \(size * 160) bytes, would be kept for longer"
      ])
  }

  @Test func viewsOfAnySizeAreTakenOnce() throws {
    let size = 8000
    let graph = graph(
      { graph, x in
        let turned = (0..<2).map { _ in graph.permuted(x, 1, 0) }
        let sum = graph.emit("Sub", [graph.emit("Exp", [turned[0]]), turned[1]])
        graph.addOutput(graph.emit("Identity", [sum], name: "y"))
      }, size: size)
    #expect(try count(result(graph, size: size)) == 1)
  }
}
