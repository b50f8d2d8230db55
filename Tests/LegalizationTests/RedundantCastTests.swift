import GraphIR
import Legalization
import Rewrite
import Tensors
import Testing

@Suite("Redundant Cast") struct RedundantCastTests {
  private func graph(from: DataType, to: DataType, isOutput: Bool = false) -> Graph {
    var graph = Graph(name: "cast", opsets: ["": 20])
    let x = graph.addInput("x", type: .tensor(from, [3]))
    let cast = graph.emit(
      "Cast", [x], [Attribute("to", .int(Int(to.rawValue)))], name: "same",
      type: .tensor(to, [3]))
    graph.addOutput(
      isOutput ? cast : graph.emit("Neg", [cast], name: "y", type: .tensor(to, [3])))
    return graph
  }

  @Test("a cast to the type it has goes away")
  func removed() throws {
    let (rewritten, report) = try graph(from: .float32, to: .float32).applying(RedundantCast())
    #expect(rewritten.operators == ["Neg"])
    #expect(report.changes.count == 1)
    let y = try rewritten.result(["x": Tensor([Float(1), -2, 3])])
    #expect(y.elements(as: Float.self) == [-1, 2, -3])
  }

  @Test("casts that convert, and casts that make an output, stay")
  func noMatch() throws {
    for original in [
      graph(from: .float32, to: .float64), graph(from: .float32, to: .float32, isOutput: true),
    ] {
      #expect(try original.applying(RedundantCast()).graph.text() == original.text())
    }
  }
}
