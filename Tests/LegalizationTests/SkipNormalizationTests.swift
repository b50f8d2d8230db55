import GraphIR
import Legalization
import Rewrite
import Tensors
import Testing

@Suite struct SkipNormalizationTests {
  /// A node of com.microsoft between two residual additions.
  private func graph(_ op: String, _ names: [Name?], readsSum: Bool = true) throws -> Graph {
    var graph = Graph(name: "skip", opsets: ["": 20, "com.microsoft": 1])
    let inputs = names.map { name in
      name.map {
        graph.addInput($0, type: .tensor(.float32, $0 == "x" || $0 == "skip" ? [2, 3] : [3]))
      }
    }
    let (y, sum) = (graph.makeValue("y"), graph.makeValue("sum"))
    graph.append(
      Node(
        OpKey(op, domain: "com.microsoft"), inputs: inputs,
        outputs: readsSum ? [y, nil, nil, sum] : [y],
        attributes: [Attribute("epsilon", .float(1e-6))]))
    let total = readsSum ? graph.emit("Add", [y, sum], name: "total") : y
    graph.addOutput(total)
    return graph
  }

  private func feeds(_ graph: Graph) throws -> [Name: Tensor] {
    var feeds: [Name: Tensor] = [:]
    for (seed, input) in graph.inputs.enumerated() {
      let shape = try #require(graph.tensorType(of: input)?.concreteShape)
      let elements = (0..<shape.elementCount).map { Float(($0 * 7 + seed * 5) % 11) / 4 - 1 }
      feeds[graph.name(of: input)] = Tensor(elements, shape: shape)
    }
    return feeds
  }

  @Test(arguments: [
    ("SkipLayerNormalization", ["x", "skip", "scale"] as [Name?], 3),
    ("SkipLayerNormalization", ["x", "skip", "scale", "shift", "bias"], 4),
    ("SkipLayerNormalization", ["x", "skip", "scale", nil, "bias"], 4),
    ("SkipSimplifiedLayerNormalization", ["x", "skip", "scale"], 3),
    ("SkipSimplifiedLayerNormalization", ["x", "skip", "scale", "bias"], 4),
  ])
  func theAdditionStandsAloneAndResultsStayBitForBit(
    op: String, operands: [Name?], count: Int
  ) throws {
    let original = try graph(op, operands)
    let (rewritten, report) = try original.applying(SkipNormalization())
    #expect(report.changes.count == 1)
    #expect(rewritten.order.count == count)
    #expect(rewritten.operators.first == "Add" && rewritten.operators.last == "Add")
    #expect(rewritten.order.allSatisfy { rewritten[$0].op.domain.isEmpty })
    let feeds = try feeds(original)
    let results = try [original, rewritten].map { try $0.result(feeds).elements(as: Float.self) }
    #expect(results[0] == results[1])
  }

  @Test func aSumThatNobodyReadsGetsAName() throws {
    let original = try graph("SkipLayerNormalization", ["x", "skip", "scale"], readsSum: false)
    let (rewritten, _) = try original.applying(SkipNormalization())
    #expect(rewritten.operators == ["Add", "LayerNormalization"])
  }

  @Test func beforeTheNormWasAnOperatorTheNodeStays() throws {
    var original = try graph("SkipLayerNormalization", ["x", "skip", "scale"])
    original.opsets[""] = 16
    let (rewritten, report) = try original.applying(SkipNormalization())
    #expect(rewritten.operators == original.operators)
    #expect(report.changes.isEmpty)
  }
}
