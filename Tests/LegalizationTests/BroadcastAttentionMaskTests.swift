import GraphIR
import Legalization
import Rewrite
import Tensors
import Testing
import TypeInference

@Suite("Attention mask of one row") struct BroadcastAttentionMaskTests {
  private static let keys = 5

  /// `Attention` with 2 heads of size 4 and a mask of some shape.
  private func graph(
    queries: Dimension, mask: [Dimension]?, maskType: DataType = .float32
  ) throws -> Graph {
    var graph = Graph(name: "attention", opsets: ["": 23])
    let q = graph.addInput("q", type: .tensor(.float32, [1, 2, queries, 4]))
    let k = graph.addInput("k", type: .tensor(.float32, [1, 2, Dimension(Self.keys), 4]))
    let v = graph.addInput("v", type: .tensor(.float32, [1, 2, Dimension(Self.keys), 4]))
    let m = graph.addInput("m", type: .tensor(maskType, mask))
    let result = graph.emit("Attention", [q, k, v, m], name: "seen")
    graph.addOutput(result)
    if mask != nil { _ = try PassPipeline([InferTypes()]).run(on: &graph) }
    return graph
  }

  private func feeds(queries: Int, mask: Tensor) throws -> [Name: Tensor] {
    func wave(_ length: Int, _ phase: Int) throws -> Tensor {
      let shape = try Shape([1, 2, length, 4])
      let numbers = (0..<shape.elementCount).map { Float(($0 * 37 + phase) % 19) / 10 - 0.9 }
      return Tensor(numbers, shape: shape)
    }
    return [
      "q": try wave(queries, 0), "k": try wave(Self.keys, 1), "v": try wave(Self.keys, 2),
      "m": mask,
    ]
  }

  @Test("attention sees the same with the expanded mask", arguments: [3, 7])
  func sameResult(queries: Int) throws {
    let mask = Tensor([Float(0), -1, -20, 0.5, 2], shape: try Shape([1, 1, 1, Self.keys]))
    let original = try graph(
      queries: Dimension(symbol: "queries"), mask: [1, 1, 1, Dimension(Self.keys)])
    let (rewritten, report) = try original.applying(BroadcastAttentionMask())
    #expect(rewritten.operators == ["Shape", "Concat", "Expand", "Attention"])
    #expect(report.changes.map(\.message) == ["mask expanded to the number of queries"])
    let feeds = try feeds(queries: queries, mask: mask)
    let expected = try original.result(feeds)
    let actual = try rewritten.result(feeds)
    #expect(actual.shape.dimensions == [1, 2, queries, 4])
    #expect(actual.elements(as: Float.self) == expected.elements(as: Float.self))
  }

  @Test("a bool mask of rank 2 is expanded too")
  func rankTwo() throws {
    let mask = Tensor([true, false, true, true, false], shape: try Shape([1, Self.keys]))
    let original = try graph(queries: 3, mask: [1, Dimension(Self.keys)], maskType: .bool)
    let (rewritten, _) = try original.applying(BroadcastAttentionMask())
    let expanded = try #require(rewritten.value(named: "m/expanded"))
    #expect(rewritten.type(of: expanded) == .tensor(.bool, [3, Dimension(Self.keys)]))
    let feeds = try feeds(queries: 3, mask: mask)
    #expect(
      try rewritten.result(feeds).elements(as: Float.self)
        == original.result(feeds).elements(as: Float.self))
  }

  @Test("masks with rows, and attention with one query, are left alone")
  func noMatch() throws {
    let last = Dimension(Self.keys)
    let many = Dimension(symbol: "n")
    let cases: [(queries: Dimension, mask: [Dimension])] = [
      (3, [1, 1, 3, last]), (1, [1, 1, 1, last]), (many, [1, 1, many, last]),
    ]
    for (queries, mask) in cases {
      let original = try graph(queries: queries, mask: mask)
      let (rewritten, report) = try original.applying(BroadcastAttentionMask())
      #expect(rewritten.text() == original.text())
      #expect(report.changes.isEmpty && report.declined.isEmpty)
    }
  }

  @Test("a mask of unknown shape is reported, not guessed")
  func unknownShape() throws {
    let (rewritten, report) = try graph(queries: 3, mask: nil).applying(BroadcastAttentionMask())
    #expect(rewritten.operators == ["Attention"])
    #expect(
      report.declined.map(\.message) == ["the shapes of the mask and the queries are not known"])
  }
}
