import GraphIR
import Tensors
import Testing

@Suite("Editing a graph") struct EditingTests {
  @Test("sorting keeps a valid order as it is")
  func stableSort() throws {
    var graph = Graph()
    let x = graph.addInput("x", type: Samples.vector)
    for op in ["Relu", "Neg", "Abs"] { graph.addOutput(graph.emit(OpKey(op), [x])) }
    let order = graph.order
    try graph.sortTopologically()
    #expect(graph.order == order)
    graph.setOrder(order.reversed())
    try graph.sortTopologically()
    #expect(graph.order == order.reversed())
  }

  @Test("sorting moves only what stands before its operands, captures included")
  func sort() throws {
    var (graph, x, result) = Samples.branches()
    let branch = graph.order[0]
    let late = graph.emit("Abs", [x], name: "late", type: Samples.vector)
    let other = graph.emit("Neg", [x], name: "other", type: Samples.vector)
    let order = graph.order
    graph.replaceUses(of: x, with: late, except: Set(order.dropFirst()))
    graph.addOutput(other)
    try graph.sortTopologically()
    #expect(graph.order == [order[1], branch, order[2]])
    try graph.verify()
    #expect(graph.producer(of: result) == branch)
  }

  @Test("nodes in a circle cannot be sorted, and the first of them is named")
  func cycle() throws {
    var (graph, x, relu, neg) = Samples.chain()
    let order = graph.order
    graph.replaceUses(of: x, with: neg)
    let error = try #require(throws: GraphError.self) { try graph.sortTopologically() }
    #expect(error.code == "cyclic-graph")
    #expect(error.place == "Relu 'relu'")
    #expect(error.message.hasPrefix("2 nodes"))
    #expect(graph.order == order)
    #expect(graph.producer(of: relu) == order[0])
  }

  @Test("readers are known in order and once each, captures and outputs included")
  func useIndex() {
    var (graph, x, result) = Samples.branches()
    let sum = graph.emit("Add", [x, x], name: "sum", type: Samples.vector)
    let uses = UseIndex(graph)
    #expect(uses.users(of: x) == graph.order)
    #expect(uses.users(of: result).isEmpty)
    #expect(uses.isOutput(result) && !uses.isUnused(result))
    #expect(uses.isUnused(sum) && !uses.isOutput(sum))
  }

  @Test("replacing a value reaches operands, captures of branches and of cache bodies, and outputs")
  func replaceUses() {
    var (graph, x, result) = Samples.branches()
    let y = graph.addInput("y", type: Samples.vector)
    graph.addOutput(x)
    graph.replaceUses(of: x, with: y)
    #expect(graph[graph.order[0]].uses == [graph.inputs[0], y, y])
    #expect(graph.outputs == [result, y])

    var (cached, node, old) = Samples.cached()
    let new = cached.addInput("new", type: Samples.vector)
    cached.mapUses { $0 == old ? new : $0 }
    #expect(cached[node].cache?.body.captures == [new])
    #expect(cached[node].cache?.reuse.captures.first == new)
  }

  @Test("nodes that are excepted keep reading the old value")
  func replaceUsesExcept() {
    var (graph, _, relu, neg) = Samples.chain()
    let abs = graph.emit("Abs", [relu], name: "abs", type: Samples.vector)
    graph.replaceUses(of: relu, with: abs, except: [graph.order[2]])
    #expect(graph[graph.order[2]].inputs == [relu])
    #expect(graph.producer(of: neg).map { graph[$0].inputs } == [abs])
  }

  @Test("a state pair follows its output when readers are sent elsewhere")
  func statePairsFollow() throws {
    var (graph, node, _) = Samples.cached()
    let delta = graph.outputs[1]
    let copy = graph.emit("Identity", [delta], name: "copy", type: Samples.vector)
    graph.replaceUses(of: delta, with: copy, except: [graph.order[1]])
    #expect(graph.statePairs.map(\.output) == [copy])
    try graph.verify()
    graph.setOutput(1, to: delta)
    #expect(graph.statePairs.map(\.output) == [delta])
    graph.remove([graph.order[1]])
    try graph.verify()
    #expect(graph.contains(node))
  }

  @Test("removed nodes leave their results without producer; other identifiers stay valid")
  func removal() {
    var (graph, _, relu, neg) = Samples.chain()
    let order = graph.order
    graph.remove([order[0]])
    #expect(!graph.contains(order[0]) && graph.contains(order[1]))
    #expect(graph.producer(of: relu) == nil)
    #expect(graph.producer(of: neg) == order[1])
    #expect(graph.orderPositions() == [-1, 0])
  }

  @Test("a replaced node gives up the results it no longer has")
  func replacement() {
    var (graph, x, relu, _) = Samples.chain()
    let id = graph.order[0]
    let other = graph.makeValue("other")
    graph.replace(id, with: Node("Abs", inputs: [x], outputs: [other]))
    #expect(graph.producer(of: relu) == nil)
    #expect(graph.producer(of: other) == id)
  }

  @Test("an input with a default is not required; operators of subgraphs are counted")
  func queries() {
    var graph = Samples.branches().graph
    let scale = graph.addInput("scale", type: Samples.vector)
    graph.setInitializer(StoredTensor(Tensor([Float(1)])), of: scale)
    #expect(graph.requiredInputs.map { graph.name(of: $0) } == ["decision", "x"])
    #expect(graph.operatorCounts() == ["If": 1, "Relu": 1, "Neg": 1])
  }
}
