import GraphIR
import Tensors

/// Small graphs that several tests take.
enum Samples {
  static let vector = ValueType.tensor(.float32, [Dimension(symbol: "n")])
  static let flag = ValueType.tensor(.bool, [])

  /// `Relu(x)` and its negative.
  static func chain() -> (graph: Graph, x: ValueID, relu: ValueID, neg: ValueID) {
    var graph = Graph(name: "chain")
    let x = graph.addInput("x", type: vector)
    let relu = graph.emit("Relu", [x], name: "relu", type: vector)
    let neg = graph.emit("Neg", [relu], name: "neg", type: vector)
    graph.addOutput(neg)
    return (graph, x, relu, neg)
  }

  /// A graph of one operator on one capture of `outer`.
  static func body(_ op: OpKey, of outer: ValueID, name: Name) -> Subgraph {
    var graph = Graph(name: name)
    let captured = graph.addCapture("captured", type: vector)
    graph.addOutput(graph.emit(op, [captured], name: "result", type: vector))
    return Subgraph(graph: graph, captures: [outer])
  }

  /// `If` whose branches capture the same value.
  static func branches() -> (graph: Graph, x: ValueID, result: ValueID) {
    var graph = Graph(name: "branches")
    let decision = graph.addInput("decision", type: flag)
    let x = graph.addInput("x", type: vector)
    let result = graph.emit(
      "If", [decision],
      [
        Attribute("then_branch", .graph(body("Relu", of: x, name: "then"))),
        Attribute("else_branch", .graph(body("Neg", of: x, name: "else"))),
      ], name: "result", type: vector)
    graph.addOutput(result)
    return (graph, x, result)
  }

  /// A cache node with one stream and one slot, its state pair declared.
  static func cached() -> (graph: Graph, node: NodeID, x: ValueID) {
    var graph = Graph(name: "cached")
    let decision = graph.addInput("decision", type: flag)
    let x = graph.addInput("x", type: vector)
    let slot = graph.addInput("ditcache/r/blocks.0/delta", type: vector)
    let stream = graph.makeValue("stream", type: vector)
    let delta = graph.makeValue("delta", type: vector)
    var body = Graph(name: "body")
    let inner = body.addCapture("x", type: vector)
    let out = body.emit("Relu", [inner], name: "out", type: vector)
    body.addOutput(out)
    body.addOutput(body.emit("Sub", [out, inner], name: "change", type: vector))
    var reuse = Graph(name: "reuse")
    let again = reuse.addCapture("x", type: vector)
    let held = reuse.addCapture("held", type: vector)
    reuse.addOutput(reuse.emit("Add", [again, held], name: "out", type: vector))
    reuse.addOutput(held)
    let cache = CacheNode(
      rule: "r", site: "blocks.0", streamCount: 1, body: Subgraph(graph: body, captures: [x]),
      reuse: Subgraph(graph: reuse, captures: [x, slot]),
      slots: [
        Slot(
          name: "ditcache/r/blocks.0/delta", type: TensorType(.float32, [Dimension(symbol: "n")]))
      ])
    let node = graph.append(
      Node(.cache, inputs: [decision], outputs: [stream, delta], cache: cache))
    graph.addOutput(stream)
    graph.addOutput(delta)
    graph.addStatePair(StatePair(input: slot, output: delta))
    return (graph, node, x)
  }
}
