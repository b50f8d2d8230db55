import GraphIR
import ModelStructure
import ScheduleLanguage
import Tensors

/// What the attention of a site says about its tokens, made beside the site's own nodes.
///
/// The model's own nodes from product to softmax run again on a few rows of queries at a time: the map
/// of all queries and keys is never held for it, and the attention itself may stay one fused kernel.
struct AttentionScores {
  /// Scores of all heads that one trip of the loop makes at most: 1 MiB in float32.
  static let tileElementCount = 1 << 18

  private let site: CachePlan.Site
  private let graph: Graph
  private let place: String
  private let core: AttentionCore
  private let weights: ValueID
  private let batch: Int
  private let heads: Int
  private let queries: Int
  private let keys: Int
  private let width: Int

  /// Finds the one attention of a site.
  ///
  /// - Parameters:
  ///   - site: the site
  ///   - graph: the graph before anything was wrapped
  ///   - place: the rule and site, for errors
  /// - Throws: `StructureError` or `CacheRewriteError` where it has none, several, one of another form
  ///   than (batch, heads, tokens, width), or free dimensions
  init(of site: CachePlan.Site, in graph: Graph, at place: String) throws {
    self.site = site
    self.graph = graph
    self.place = place
    core = try AttentionCore(among: site.nodes, in: graph, at: place)
    let count = site.nodes.count { ["Softmax", "Attention"].contains(graph[$0].op) }
    guard count == 1, let weights = core.weights(in: graph) else {
      throw CacheRewriteError(
        "no-single-attention", at: place,
        count > 1
          ? "the site has \(count) attentions, and 'attention_…' means one"
          : "the attention is one operator, whose map cannot be read",
        hint: count > 1
          ? "read it in a rule for 'self_attention' or 'cross_attention'"
          : "export the model with attention as MatMul and Softmax, at an opset below 23",
        category: .badSchedule)
    }
    self.weights = weights
    guard let map = graph.tensorType(of: weights)?.concreteShape, map.rank == 4,
      let own = graph.tensorType(of: core.queries)?.concreteShape, own.rank == 4,
      own[2] == map[2]
    else {
      throw CacheRewriteError(
        "unknown-attention-sizes", at: place,
        "the attention map is not known to be (batch, heads, queries, keys), with all sizes",
        hint: "export the model with fixed sizes", category: .badSchedule)
    }
    (batch, heads, queries, keys, width) = (map[0], map[1], map[2], map[3], own[3])
  }

  /// FLOPs of one value: the product of queries and keys again; nil where that does not fit.
  func flops(of value: Expression.SiteValue) -> Int? {
    value == .valueNorm
      ? 0 : try? Checked.product(of: [2, batch, heads, queries, keys, width])
  }

  /// One number for each token of a stream, float32 (batch, tokens, 1).
  func values(
    _ value: Expression.SiteValue, ofStream stream: Int, in scope: GraphScope
  ) throws -> Operand {
    let whole = try scope.attention[value] ?? made(value, in: scope)
    scope.attention[value] = whole
    let total = value == .attentionEntropy ? queries : keys
    let lengths = site.streams.map {
      graph.tensorType(of: $0.output)?.shape?.dropLast().last?.value
    }
    guard let own = lengths[stream] else { throw otherTokens(value, total, nil) }
    if own == total { return whole }
    let joined = value == .attentionEntropy ? core.queries : core.keys
    guard let start = start(ofStream: stream, in: joined, lengths, total: total) else {
      throw otherTokens(value, total, own)
    }
    let type = TensorType(.float32, [Dimension(batch), Dimension(own), 1])
    let bounds = [start, start + own, 1].map { number in
      scope.graph.constant([Int64(number)], shape: .vector(1))
    }
    return Operand(
      value: scope.emit("Slice", [whole.value] + bounds, .tensor(type)), kind: .tensor, type: type)
  }

  private func otherTokens(
    _ value: Expression.SiteValue, _ total: Int, _ own: Int?
  ) -> CacheRewriteError {
    CacheRewriteError(
      "not-the-sites-tokens", at: place,
      "'\(value.rawValue)' is of \(total) tokens, and which of them are the site's"
        + (own.map { " \($0)" } ?? "") + " is not known",
      hint: "the keys of a cross_attention are those of the text", category: .badSchedule)
  }

  /// Where a stream's tokens begin among those that an attention joins of all streams.
  private func start(
    ofStream stream: Int, in joined: ValueID, _ lengths: [Int?], total: Int
  ) -> Int? {
    let known = lengths.compactMap { $0 }
    guard known.count > 1, known.count == lengths.count, known.reduce(0, +) == total else {
      return nil
    }
    let reached = site.streams.map { descendants(of: $0.input) }
    var pending = [joined]
    var seen = Set<ValueID>()
    while let value = pending.popLast() {
      guard seen.insert(value).inserted, let producer = graph.producer(of: value) else { continue }
      let node = graph[producer]
      let operands = node.inputs.compactMap { $0 }
      if node.op == "Concat", operands.count == known.count {
        let streams = operands.map { operand in
          reached.indices.filter { reached[$0].contains(operand) }
        }
        if streams.allSatisfy({ $0.count == 1 }),
          let place = streams.firstIndex(of: [stream])
        {
          return streams[..<place].reduce(0) { $0 + known[$1[0]] }
        }
      }
      pending += node.uses
    }
    return nil
  }

  /// What the site's nodes compute from a value, it included.
  private func descendants(of value: ValueID) -> Set<ValueID> {
    var values: Set<ValueID> = [value]
    for id in graph.order where graph[id].uses.contains(where: values.contains) {
      values.formUnion(graph[id].outputs.compactMap { $0 })
    }
    return values
  }

  // MARK: - Operators

  private func made(_ value: Expression.SiteValue, in scope: GraphScope) throws -> Operand {
    if value == .valueNorm { return try valueNorms(in: scope) }
    let isEntropy = value == .attentionEntropy
    let tokens = isEntropy ? queries : keys
    let rows = max(1, min(queries, Self.tileElementCount / max(1, batch * heads * keys)))
    let type = TensorType(.float32, [Dimension(batch), Dimension(tokens), 1])
    let result: ValueID
    if rows == queries {
      let map = try map(of: scope.outer(core.queries), rows: rows, in: scope)
      result = isEntropy ? entropy(of: map, rows: rows, in: scope) : sums(of: map, in: scope)
    } else {
      result = try loop(value, rows: rows, type: type, in: scope)
    }
    return Operand(value: result, kind: .tensor, type: type)
  }

  /// The rows of some queries of the map, float32, the mean over heads: (batch, rows, keys).
  private func map(of tile: ValueID, rows: Int, in scope: GraphScope) throws -> ValueID {
    let copy = BodyCopy(of: weights, from: [core.queries], hidden: [], in: graph)
    let axes =
      rows == queries
      ? nil
      : (
        axes: try TokenRows(of: core.queries, through: copy.nodes, in: graph, at: place),
        count: Dimension(rows)
      )
    let map = scope.cast(
      try copy.emit(in: scope, replacing: (core.queries, tile), rows: axes, at: place),
      to: .float32)
    return meanOverHeads(map, [rows, keys], in: scope)
  }

  private func meanOverHeads(_ value: ValueID, _ sizes: [Int], in scope: GraphScope) -> ValueID {
    let type = self.type(sizes)
    let axes = scope.graph.constant([Int64(1)], shape: .vector(1))
    let sums = scope.emit(
      "ReduceSum", [value, axes], [Attribute("keepdims", .int(0))], type)
    let count = scope.graph.constant([Float(heads)], shape: .scalar)
    return scope.emit("Div", [sums, count], type)
  }

  private func type(_ sizes: [Int]) -> ValueType {
    .tensor(.float32, [Dimension(batch)] + sizes.map { Dimension($0) })
  }

  /// The sums of all columns: (batch, keys, 1).
  private func sums(of map: ValueID, in scope: GraphScope) -> ValueID {
    let axes = scope.graph.constant([Int64(1)], shape: .vector(1))
    return column(scope.emit("ReduceSum", [map, axes], type([1, keys])), keys, in: scope)
  }

  private func column(_ row: ValueID, _ tokens: Int, in scope: GraphScope) -> ValueID {
    let shape = scope.graph.constant(
      [Int64(batch), Int64(tokens), 1], shape: .vector(3))
    return scope.emit("Reshape", [row, shape], type([tokens, 1]))
  }

  /// −Σ p ln p of each row: (batch, rows, 1).
  private func entropy(of map: ValueID, rows: Int, in scope: GraphScope) -> ValueID {
    // What is added to the sum for p = 0 is 0, and ln 0 is not.
    let least = scope.graph.constant([Float.leastNormalMagnitude], shape: .scalar)
    let full = type([rows, keys])
    let logarithm = scope.emit("Log", [scope.emit("Max", [map, least], full)], full)
    let axes = scope.graph.constant([Int64(-1)], shape: .vector(1))
    let sums = scope.emit(
      "ReduceSum", [scope.emit("Mul", [map, logarithm], full), axes], type([rows, 1]))
    return scope.emit("Neg", [sums], type([rows, 1]))
  }

  /// A Loop over tiles of queries that all have as many rows: the last one begins earlier, and rows
  /// that it has in common with the one before count once.
  private func loop(
    _ value: Expression.SiteValue, rows: Int, type: TensorType, in scope: GraphScope
  ) throws -> ValueID {
    let body = GraphScope(inside: scope, isReady: scope.isReady)
    let name = "ditcache/\(place)/\(value.rawValue)"
    let trip = body.graph.addInput(Name("\(name)/trip"), type: .tensor(.int64, []))
    let goesOn = body.graph.addInput(Name("\(name)/goes_on"), type: .tensor(.bool, []))
    let carried = body.graph.addInput(Name("\(name)/so_far"), type: .tensor(type))
    func vector(_ number: Int) -> ValueID {
      body.graph.constant([Int64(number)], shape: .vector(1))
    }
    let one: ValueType = .tensor(.int64, [1])
    let first = body.emit(
      "Mul", [body.emit("Reshape", [trip, vector(1)], one), vector(rows)], one)
    let start = body.emit("Min", [first, vector(queries - rows)], one)
    let end = body.emit("Add", [start, vector(rows)], one)
    let operand = graph.tensorType(of: core.queries)
    var tileType = operand ?? TensorType(nil, nil)
    tileType.shape?[2] = Dimension(rows)
    let tile = body.emit(
      "Slice", [body.outer(core.queries), start, end, vector(2)], .tensor(tileType))
    let map = try map(of: tile, rows: rows, in: body)
    let offsets = body.graph.constant((0..<rows).map(Int64.init), shape: try Shape([1, rows, 1]))
    let places: ValueType = .tensor(.int64, [1, Dimension(rows), 1])
    let own = body.emit("Add", [start, offsets], places)
    let next: ValueID
    if value == .attentionEntropy {
      let shape = body.graph.constant(
        [Int64(batch), Int64(rows), 1], shape: .vector(3))
      let indices = body.emit(
        "Expand", [own, shape], .tensor(.int64, [Dimension(batch), Dimension(rows), 1]))
      next = body.emit(
        "ScatterElements", [carried, indices, entropy(of: map, rows: rows, in: body)],
        [Attribute("axis", .int(1))], .tensor(type))
    } else {
      let isNew = body.cast(
        body.emit("GreaterOrEqual", [own, first], .tensor(.bool, [1, Dimension(rows), 1])),
        to: .float32)
      let counted = body.emit("Mul", [map, isNew], self.type([rows, keys]))
      next = body.emit("Add", [carried, sums(of: counted, in: body)], .tensor(type))
    }
    body.addOutput(goesOn, name: Name("\(name)/goes_on/out"))
    body.addOutput(next, name: Name("\(name)/so_far/out"))
    let trips = scope.graph.constant([Int64((queries + rows - 1) / rows)], shape: .scalar)
    let always = scope.graph.constant([true], shape: .scalar)
    let tokens = value == .attentionEntropy ? queries : keys
    let shape = scope.graph.constant(
      [Int64(batch), Int64(tokens), 1], shape: .vector(3))
    let zeros = scope.emit("ConstantOfShape", [shape], .tensor(type))
    return scope.emit(
      "Loop", [trips, always, zeros], [Attribute("body", .graph(body.subgraph))], .tensor(type))
  }

  private func valueNorms(in scope: GraphScope) throws -> Operand {
    guard let values = core.values(in: graph, uses: UseIndex(graph)),
      let shape = graph.tensorType(of: values)?.concreteShape, shape.rank == 4,
      shape[0] == batch, shape[1] == heads, shape[2] == keys
    else {
      throw CacheRewriteError(
        "no-attention-values", at: place,
        "what the attention's weights are multiplied with was not found",
        category: .badSchedule)
    }
    let wide: ValueType = .tensor(.float32, shape.dimensions.map { Dimension($0) })
    let own = scope.cast(scope.outer(values), to: .float32)
    let axes = scope.graph.constant([Int64(-1)], shape: .vector(1))
    let each = type([heads, keys, 1])
    let sums = scope.emit("ReduceSum", [scope.emit("Mul", [own, own], wide), axes], each)
    let norms = scope.emit("Sqrt", [sums], each)
    return Operand(
      value: meanOverHeads(norms, [keys, 1], in: scope), kind: .tensor,
      type: TensorType(.float32, [Dimension(batch), Dimension(keys), 1]))
  }
}
