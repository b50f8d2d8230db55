import GraphIR
import Interpreter
import Tensors
import Testing

@Suite struct RejoinedSlicesTests {
  private func graph(_ cuts: [(start: Int, end: Int)]) -> Graph {
    var graph = Graph(opsets: ["": 20])
    let x = graph.addInput("x", type: .float32(2, 9, 4))
    let parts = cuts.map { cut in
      graph.emit(
        "Slice",
        [x, graph.integers(cut.start), graph.integers(cut.end), graph.integers(1)])
    }
    let whole = graph.emit("Concat", parts, [Attribute("axis", .int(1))])
    graph.addOutput(graph.emit("Neg", [whole], name: "y"))
    return graph
  }

  @Test func slicesInOrderAreWhatTheyWereCutFrom() throws {
    var noise = Noise()
    let result = try FusionHarness(
      graph([(0, -3), (-3, Int.max)]), ["x": noise.tensor(2, 9, 4)], tolerance: 0)
    #expect(result.changes == ["rejoined-slices: what was cut is joined again"])
  }

  @Test(arguments: [[(3, 9), (0, 3)], [(0, 4), (3, 8)], [(0, 3), (4, 9), (0, 1)]])
  func otherOrdersAndGapsAreCopied(cuts: [(start: Int, end: Int)]) throws {
    var noise = Noise()
    let result = try FusionHarness(graph(cuts), ["x": noise.tensor(2, 9, 4)], tolerance: 0)
    #expect(result.changes.isEmpty)
  }
}
