import GraphIR
import ModelStructure
import Tensors

/// The graph inside an attention's loop, while it is built.
struct LoopBody {
  private let outer: Graph
  private var graph: Graph
  private var captures: [(outer: ValueID, inner: ValueID)] = []
  private let condition: ValueID
  private let sums: ValueID
  private var starts: ValueID
  private var ends: ValueID

  init(_ outer: Graph, tileRows: Int) {
    self.outer = outer
    graph = Graph(name: "attention", opsets: outer.opsets)
    let trip = graph.addInput("trip", type: .tensor(.int64, []))
    condition = graph.addInput("condition", type: .tensor(.bool, []))
    sums = graph.addInput("sums", type: .tensor(.float32, nil))
    let rows = graph.constant([Int64(tileRows)], shape: .scalar, name: "rows")
    let one = graph.constant([Int64(1)], shape: .vector(1), name: "one")
    starts = graph.emit("Reshape", [graph.emit("Mul", [trip, rows]), one], name: "start")
    ends = graph.emit("Add", [starts, rows], name: "end")
  }

  /// What stands for a value of the enclosing graph.
  private mutating func captured(_ value: ValueID) -> ValueID {
    if let known = captures.first(where: { $0.outer == value }) { return known.inner }
    let inner = graph.addCapture(outer.name(of: value), type: outer.type(of: value))
    captures.append((value, inner))
    return inner
  }

  /// The rows of this trip; a value that has one row for all, or none, as it is.
  private mutating func tile(_ value: ValueID) -> ValueID {
    let inner = captured(value)
    let shape = outer.tensorType(of: value)?.shape ?? []
    guard shape.count >= 2, shape[shape.count - 2].value != 1 else { return inner }
    return tile(inner: inner, rank: shape.count)
  }

  private mutating func tile(inner: ValueID, rank: Int) -> ValueID {
    let axes = graph.constant([Int64(rank - 2)], shape: .vector(1), name: "axes")
    return graph.emit("Slice", [inner, starts, ends, axes], name: "tile")
  }

  /// The softmaxed scores of this trip's queries.
  mutating func weights(of core: AttentionCore, scores: [Int]) -> ValueID {
    if outer[core.nodes[0]].op == "Attention" { return operatorWeights(core, scores: scores) }
    var copies: [ValueID: ValueID] = [:]
    var result = condition
    for (position, id) in core.nodes.enumerated() {
      var node = outer[id]
      let inputs = node.inputs.enumerated().map { place, value -> ValueID? in
        guard let value else { return nil }
        if let copy = copies[value] { return copy }
        // Of a product only the queries have this trip's rows.
        return position == 0 && place > 0 ? captured(value) : tile(value)
      }
      result = graph.makeValue("scores")
      for case .some(let output) in node.outputs { copies[output] = result }
      node.inputs = inputs
      node.outputs = [result]
      node.origin = nil
      graph.append(node)
    }
    return result
  }

  /// The scores of an ONNX `Attention`, written out.
  private mutating func operatorWeights(_ core: AttentionCore, scores: [Int]) -> ValueID {
    let node = outer[core.nodes[0]]
    let heads = scores[1]
    let size = OperatorScores.headSize(of: node, core.queries, heads: heads, in: outer)
    let type = outer.tensorType(of: core.queries)?.dataType
    let queries = split(captured(core.queries), rank: rank(core.queries), heads: heads, size: size)
    let keys = split(captured(core.keys), rank: rank(core.keys), heads: heads, size: size)
    let transposed = graph.emit(
      "Transpose", [keys], [Attribute("perm", .ints([0, 1, 3, 2]))], name: "keys")
    var result = graph.emit("MatMul", [tile(inner: queries, rank: 4), transposed], name: "scores")
    result = graph.emit("Cast", [result], [Self.toFloat], name: "scores")
    let scale = OperatorScores.scale(of: node, headSize: size)
    result = graph.emit(
      "Mul", [result, graph.constant([scale], shape: .scalar, name: "scale")], name: "scores")
    if node.inputs.count > 3, let mask = node.inputs[3] {
      let own = tile(mask)
      if outer.tensorType(of: mask)?.dataType == .bool {
        let hidden = graph.constant([-Float.infinity], shape: .scalar, name: "hidden")
        result = graph.emit("Where", [own, result, hidden], name: "scores")
      } else {
        let wide = type == .float32 ? own : graph.emit("Cast", [own], [Self.toFloat])
        result = graph.emit("Add", [result, wide], name: "scores")
      }
    }
    return graph.emit("Softmax", [result], [Attribute("axis", .int(-1))], name: "weights")
  }

  private func rank(_ value: ValueID) -> Int { outer.tensorType(of: value)?.shape?.count ?? 0 }

  /// [batch, length, heads · size] as [batch, heads, length, size].
  private mutating func split(_ value: ValueID, rank: Int, heads: Int, size: Int) -> ValueID {
    guard rank == 3 else { return value }
    let shape = graph.constant(
      [0, 0, Int64(heads), Int64(size)], shape: .vector(4), name: "heads")
    let apart = graph.emit("Reshape", [value, shape], name: "apart")
    return graph.emit(
      "Transpose", [apart], [Attribute("perm", .ints([0, 2, 1, 3]))], name: "split")
  }

  private static let toFloat = Attribute("to", .int(1))

  /// The body that adds the columns of the weights to those of earlier trips.
  mutating func finish(weights: ValueID, rank: Int) -> Subgraph {
    let wide = graph.emit("Cast", [weights], [Self.toFloat], name: "wide")
    let axes = Array(0..<rank - 1)
    let partial: ValueID
    if graph.opset < 13 {
      partial = graph.emit(
        "ReduceSum", [wide], [Attribute("axes", .ints(axes)), Attribute("keepdims", .int(0))],
        name: "partial")
    } else {
      let list = graph.constant(axes.map(Int64.init), shape: .vector(axes.count), name: "axes")
      partial = graph.emit(
        "ReduceSum", [wide, list], [Attribute("keepdims", .int(0))], name: "partial")
    }
    graph.addOutput(graph.emit("Identity", [condition], name: "again", type: .tensor(.bool, [])))
    graph.addOutput(graph.emit("Add", [sums, partial], name: "total"))
    return Subgraph(graph: graph, captures: captures.map(\.outer))
  }
}

/// The scores of an ONNX `Attention` node (https://onnx.ai/onnx/operators/onnx__Attention.html).
struct OperatorScores {
  /// [batch, heads, queries, keys].
  let shape: [Int]

  init(_ node: Node, _ queries: Shape, _ keys: Shape, block: String) throws(ProfilingError) {
    func number(_ name: String) -> Int? {
      if case .int(let value)? = node.attribute(name) { value } else { nil }
    }
    let softcap: Float = if case .float(let value)? = node.attribute("softcap") { value } else { 0 }
    let hasMore = node.inputs.dropFirst(4).contains { $0 != nil }
    guard number("is_causal") ?? 0 == 0, softcap == 0, !hasMore else {
      throw ProfilingError(
        "unusual-attention", at: block,
        "an Attention with causality, a soft cap, a past or lengths cannot be observed")
    }
    let heads = queries.rank == 4 ? queries[1] : number("q_num_heads") ?? 1
    let keyHeads = keys.rank == 4 ? keys[1] : number("kv_num_heads") ?? heads
    guard heads > 0, heads == keyHeads else {
      throw ProfilingError(
        "unusual-attention", at: block, "\(heads) heads of queries share \(keyHeads) of keys")
    }
    shape = [queries[0], heads, queries[queries.rank - 2], keys[keys.rank - 2]]
  }

  static func headSize(of node: Node, _ queries: ValueID, heads: Int, in graph: Graph) -> Int {
    let sizes = graph.tensorType(of: queries)?.concreteShape?.dimensions ?? []
    return sizes.count == 3 ? sizes[2] / max(heads, 1) : sizes.last ?? 1
  }

  static func scale(of node: Node, headSize: Int) -> Float {
    if case .float(let value)? = node.attribute("scale") { return value }
    return 1 / Float(max(headSize, 1)).squareRoot()
  }
}
