import GraphIR
import Legalization
import Rewrite
import Tensors
import Testing

@Suite("Invalid Squeeze") struct InvalidSqueezeTests {
  private func graph(
    _ shape: [Dimension], axes: [Int], opset: Int = 20
  ) -> Graph {
    var graph = Graph(name: "squeeze", opsets: ["": opset])
    let x = graph.addInput("x", type: .tensor(.float32, shape))
    if opset < 13 {
      graph.addOutput(graph.emit("Squeeze", [x], [Attribute("axes", .ints(axes))], name: "y"))
    } else {
      let constant = graph.constant(
        axes.map { Int64($0) }, shape: .vector(axes.count), name: "axes")
      graph.addOutput(graph.emit("Squeeze", [x, constant], name: "y"))
    }
    return graph
  }

  @Test("an axis of another size than 1 is kept", arguments: [11, 20])
  func kept(opset: Int) throws {
    let (rewritten, report) = try graph([1, 16, 2], axes: [1], opset: opset)
      .applying(InvalidSqueeze())
    #expect(rewritten.operators == ["Identity"])
    #expect(
      report.changes.map(\.message) == [
        "axis 1 has size 16, which a Squeeze cannot remove; it is kept"
      ])
    let x = Tensor((0..<32).map { Float($0) }, shape: try Shape([1, 16, 2]))
    let y = try rewritten.result(["x": x])
    #expect(y.shape == x.shape && y.elements(as: Float.self) == x.elements(as: Float.self))
  }

  @Test("axes of size 1 are removed all the same", arguments: [11, 20])
  func mixed(opset: Int) throws {
    let (rewritten, _) = try graph([1, 4, 1], axes: [-2, 0], opset: opset)
      .applying(InvalidSqueeze())
    #expect(rewritten.operators == ["Squeeze"])
    let y = try rewritten.result(["x": Tensor([Float(1), 2, 3, 4], shape: try Shape([1, 4, 1]))])
    #expect(y.shape.dimensions == [4, 1])
  }

  @Test("valid squeezes, and axes of unknown size, are left alone")
  func noMatch() throws {
    for (shape, axes) in [
      ([1, 4], [0]), ([Dimension(symbol: "n"), 4], [0]), ([1, 4], [7]),
    ] as [([Dimension], [Int])] {
      let original = graph(shape, axes: axes)
      #expect(try original.applying(InvalidSqueeze()).graph.text() == original.text())
    }
  }
}
