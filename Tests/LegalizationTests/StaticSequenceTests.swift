import GraphIR
import Legalization
import Rewrite
import Tensors
import Testing

@Suite("Sequences with known parts") struct StaticSequenceTests {
  private static let type = ValueType.tensor(.float32, [2, 6])

  private func graph(at position: Int64, _ build: (inout Graph, ValueID) -> ValueID) -> Graph {
    var graph = Graph(name: "sequence", opsets: ["": 20])
    let x = graph.addInput("x", type: Self.type)
    let sequence = build(&graph, x)
    let index = graph.constant([position], shape: .scalar, name: "index")
    graph.addOutput(graph.emit("SequenceAt", [sequence, index], name: "y"))
    return graph
  }

  private func result(_ graph: Graph) throws -> Tensor {
    try graph.result(["x": Tensor((0..<12).map { Float($0) }, shape: try Shape([2, 6]))])
  }

  @Test(
    "a part of a split is a slice",
    arguments: [(0, [0, 1, 2, 3, 6, 7, 8, 9]), (1, [4, 5, 10, 11]), (-1, [4, 5, 10, 11])]
      as [(Int64, [Float])])
  func unequalSplit(position: Int64, expected: [Float]) throws {
    let original = graph(at: position) { graph, x in
      let length = graph.constant([Int64(4)], shape: .scalar, name: "length")
      return graph.emit("SplitToSequence", [x, length], [Attribute("axis", .int(1))], name: "s")
    }
    let (rewritten, report) = try original.applying(StaticSequence())
    #expect(report.changes.count == 1)
    #expect(rewritten.operators == ["SplitToSequence", "Slice"])
    #expect(try result(rewritten).elements(as: Float.self) == expected)
    #expect(try result(original).elements(as: Float.self) == expected)
  }

  @Test("a split by lengths is sliced at their sums")
  func lengths() throws {
    let original = graph(at: 1) { graph, x in
      let lengths = graph.constant([Int64(1), 3, 2], shape: .vector(3), name: "lengths")
      return graph.emit("SplitToSequence", [x, lengths], [Attribute("axis", .int(-1))], name: "s")
    }
    let (rewritten, _) = try original.applying(StaticSequence())
    #expect(try result(rewritten).elements(as: Float.self) == [1, 2, 3, 7, 8, 9])
  }

  @Test("without keepdims the axis goes away")
  func squeezed() throws {
    let original = graph(at: 1) { graph, x in
      graph.emit(
        "SplitToSequence", [x], [Attribute("axis", .int(0)), Attribute("keepdims", .int(0))],
        name: "s")
    }
    let (rewritten, _) = try original.applying(StaticSequence())
    #expect(rewritten.operators == ["SplitToSequence", "Slice", "Squeeze"])
    let y = try result(rewritten)
    #expect(y.shape.dimensions == [6])
    #expect(y.elements(as: Float.self) == [6, 7, 8, 9, 10, 11])
  }

  @Test("parts that were inserted are read themselves", arguments: [(0, -1), (1, 1)])
  func insertions(position: Int64, sign: Float) throws {
    let original = graph(at: position) { graph, x in
      let empty = graph.emit("SequenceEmpty", [], name: "none")
      let one = graph.emit("SequenceInsert", [empty, x], name: "one")
      let zero = graph.constant([Int64(0)], shape: .scalar, name: "zero")
      let negated = graph.emit("Neg", [x], name: "negated", type: Self.type)
      return graph.emit("SequenceInsert", [one, negated, zero], name: "two")
    }
    let (rewritten, _) = try original.applying(StaticSequence())
    #expect(rewritten.operators.last == "Identity")
    var pruned = rewritten
    pruned.remove(Set(rewritten.order.filter { rewritten[$0].op.type.hasPrefix("Sequence") }))
    #expect(try result(pruned).elements(as: Float.self)[1] == sign)
  }

  @Test("a sequence whose length is not known is reported")
  func unknown() throws {
    let original = graph(at: 0) { graph, x in
      let length = graph.addInput("length", type: .tensor(.int64, []))
      return graph.emit("SplitToSequence", [x, length], name: "s")
    }
    let (rewritten, report) = try original.applying(StaticSequence())
    #expect(rewritten.text() == original.text())
    #expect(report.declined.map(\.message) == ["the parts of the sequence are not known"])
  }
}
