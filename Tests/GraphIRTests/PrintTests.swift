import GraphIR
import Tensors
import TestSupport
import Testing

@Suite("Graph as text") struct PrintTests {
  @Test("every kind of declaration and attribute is written, one line a node")
  func everything() {
    var graph = Graph(name: "main", opsets: ["": 23, "com.microsoft": 1])
    let x = graph.addInput("x", type: .tensor(.float32, [1, 2 * Dimension(symbol: "s1") + 1]))
    let scale = graph.addInput("scale", type: .tensor(.float32, [1]))
    graph.setInitializer(StoredTensor(Tensor([Float(1)])), of: scale)
    let weight = graph.constant([Float](repeating: 0, count: 6), shape: .vector(6), name: "w")
    let parts = [graph.makeValue("first"), graph.makeValue("rest", type: .sequence(.unknown))]
    graph.append(
      Node(
        OpKey("Mixed", domain: "com.microsoft"), inputs: [x, nil, weight],
        outputs: [parts[0], nil, parts[1]],
        attributes: [
          Attribute("alpha", .float(0.5)), Attribute("axis", .int(-1)),
          Attribute("mode", .text("line\nbreak")),
          Attribute("value", .tensor(StoredTensor(Tensor([Int64(3)])))),
          Attribute("scales", .floats([1, 2.5])), Attribute("axes", .ints([0, 2])),
          Attribute("names", .strings([Array("a".utf8), [0xFF]])),
          Attribute("other", .opaque("sparse_tensor")),
        ]))
    graph.addOutput(graph.emit("Add", [parts[0], scale], name: "sum"))
    #expect(GoldenText.difference(of: graph.text(), from: "everything.txt") == nil)
  }

  @Test("subgraphs stand below their node with what they capture")
  func subgraphs() {
    let text = Samples.branches().graph.text()
    #expect(GoldenText.difference(of: text, from: "branches.txt") == nil)
  }

  @Test("a cache node shows its rule, its site, both bodies and its state")
  func cacheNode() {
    let text = Samples.cached().graph.text()
    #expect(GoldenText.difference(of: text, from: "cached.txt") == nil)
  }

  @Test("a long graph is cut and says how much is missing")
  func cut() {
    let text = Samples.chain().graph.text(maximumNodes: 1)
    #expect(text.contains("  … 1 more nodes\n"))
    #expect(!text.contains("Neg"))
  }
}
