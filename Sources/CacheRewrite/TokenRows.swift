import GraphIR
import Tensors

/// Which axis of each value of a site's body is that of its tokens, where every node treats each
/// token by itself.
///
/// Such a body gives the same rows for some tokens alone as for all of them. A node that mixes tokens,
/// or reads a value of its own for each token, is refused by name.
struct TokenRows {
  /// The token axis of each value that has one row for each token.
  private(set) var axes: [ValueID: Int] = [:]
  /// The shapes by which Reshape nodes take any number of tokens: 0 keeps a size, −1 is the tokens.
  private(set) var shapes: [NodeID: [Int]] = [:]
  private let graph: Graph
  private let place: String

  /// Follows the tokens of `input`, its second to last axis, through nodes in execution order.
  init(
    of input: ValueID, through nodes: [NodeID], in graph: Graph, at place: String
  ) throws(CacheRewriteError) {
    self.graph = graph
    self.place = place
    guard let rank = graph.tensorType(of: input)?.shape?.count, rank >= 2 else {
      throw CacheRewriteError(
        "unknown-stream-type", at: place,
        "the shape of '\(graph.name(of: input))' is not known, so its tokens are not",
        hint: "export the model again with shapes, or pass --dim for its free dimensions")
    }
    axes[input] = rank - 2
    for id in nodes { try follow(id) }
  }

  private mutating func follow(_ id: NodeID) throws(CacheRewriteError) {
    let node = graph[id]
    let isOfTokens = node.uses.contains { axes[$0] != nil }
    guard isOfTokens else { return }
    guard let axis = try axis(after: node, id) else { return }
    for output in node.outputs.compactMap({ $0 }) { axes[output] = axis }
  }

  /// The token axis of a node's results; nil where they are sizes.
  private mutating func axis(after node: Node, _ id: NodeID) throws(CacheRewriteError) -> Int? {
    switch node.op {
    case "Shape", "Size": return nil
    case "MatMul": return try product(node, id)
    case "Gemm": return try matrix(node, id)
    case "Attention": return try attention(node, id)
    case "LayerNormalization", "RMSNormalization":
      let (axis, rank) = try first(of: node, id)
      let from = normalized(integer(node, "axis") ?? -1, rank)
      if from <= axis { throw mixes(node, id) }
      return axis
    case "Softmax", "LogSoftmax", "LpNormalization":
      let (axis, rank) = try first(of: node, id)
      if normalized(integer(node, "axis") ?? -1, rank) == axis { throw mixes(node, id) }
      return axis
    case "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2",
      "ReduceSumSquare":
      return try reduction(node, id)
    case "Transpose":
      let (axis, rank) = try first(of: node, id)
      let order: [Int]
      if case .ints(let given)? = node.attribute("perm") {
        order = given
      } else {
        order = Array((0..<rank).reversed())
      }
      guard let place = order.firstIndex(of: axis) else { throw unknown(node, id) }
      return place
    case "Reshape": return try reshape(node, id, isRewritten: true)
    case "Flatten": return try reshape(node, id, isRewritten: false)
    case "Squeeze", "Unsqueeze", "Split", "Slice", "Concat", "Gather":
      return try movement(node, id)
    case _ where Self.elementwise.contains(node.op.type) || node.op == "Where":
      return try broadcast(node, id)
    default: throw unknown(node, id)
    }
  }

  /// Operators that treat every element by itself.
  private static let elementwise: Set<String> = [
    "Abs", "Add", "And", "BiasGelu", "Cast", "CastLike", "Ceil", "Clip", "Cos", "Div", "Dropout",
    "Elu", "Equal", "Erf", "Exp", "FastGelu", "Floor", "Gelu", "Greater", "GreaterOrEqual",
    "HardSigmoid", "HardSwish", "Identity", "IsNaN", "LeakyRelu", "Less", "LessOrEqual", "Log",
    "Max", "Min", "Mish", "Mul", "Neg", "Not", "Or", "Pow", "QuickGelu", "Reciprocal", "Relu",
    "Round", "Selu", "Sigmoid", "Sign", "Sin", "Softplus", "Sqrt", "Sub", "Sum", "Swish", "Tanh",
    "Xor",
  ]

  // MARK: - Operators

  /// Operands aligned at their last axes.
  private func broadcast(_ node: Node, _ id: NodeID) throws(CacheRewriteError) -> Int {
    let operands = node.inputs.compactMap { $0 }
    var rank = 0
    for operand in operands { rank = max(rank, try shape(operand, node, id).count) }
    var fromEnd: Int?
    for operand in operands {
      guard let axis = axes[operand] else { continue }
      let own = try shape(operand, node, id).count - axis
      if let other = fromEnd, other != own { throw mixes(node, id) }
      fromEnd = own
    }
    guard let fromEnd else { throw unknown(node, id) }
    for operand in operands where axes[operand] == nil {
      let own = try shape(operand, node, id)
      guard own.count < fromEnd || own[own.count - fromEnd] == 1 else {
        throw perToken(operand, node, id)
      }
    }
    return rank - fromEnd
  }

  private func product(_ node: Node, _ id: NodeID) throws(CacheRewriteError) -> Int {
    guard node.inputs.count == 2, let a = node.inputs[0], let b = node.inputs[1] else {
      throw unknown(node, id)
    }
    let (left, right) = (try shape(a, node, id), try shape(b, node, id))
    let rank = max(left.count, right.count)
    switch (axes[a], axes[b]) {
    case (let axis?, nil) where axis != left.count - 1:
      // Tokens among the batches of the left operand must be none of the right one's.
      let fromEnd = left.count - axis
      if fromEnd > 2, right.count >= fromEnd, right[right.count - fromEnd] != 1 {
        throw perToken(b, node, id)
      }
      return rank - fromEnd
    case (nil, let axis?) where axis == right.count - 1 && right.count >= 2: return rank - 1
    default: throw mixes(node, id)
    }
  }

  private func matrix(_ node: Node, _ id: NodeID) throws(CacheRewriteError) -> Int {
    guard let a = node.inputs.first ?? nil, axes[a] == (integer(node, "transA") == 1 ? 1 : 0),
      node.inputs.dropFirst().allSatisfy({ $0.map { axes[$0] == nil } ?? true })
    else { throw mixes(node, id) }
    if node.inputs.count > 2, let bias = node.inputs[2] {
      let own = try shape(bias, node, id)
      if own.count == 2, own[0] != 1 { throw perToken(bias, node, id) }
    }
    return 0
  }

  private func attention(_ node: Node, _ id: NodeID) throws(CacheRewriteError) -> Int {
    guard let query = node.inputs.first ?? nil, let axis = axes[query],
      axis == (try shape(query, node, id)).count - 2, integer(node, "is_causal") ?? 0 == 0,
      node.inputs.dropFirst().allSatisfy({ $0.map { axes[$0] == nil } ?? true })
    else { throw mixes(node, id) }
    if node.inputs.count > 3, let mask = node.inputs[3] {
      let own = try shape(mask, node, id)
      if own.count >= 2, own[own.count - 2] != 1 { throw perToken(mask, node, id) }
    }
    return axis
  }

  private func reduction(_ node: Node, _ id: NodeID) throws(CacheRewriteError) -> Int {
    let (axis, rank) = try first(of: node, id)
    var reduced: [Int]?
    if case .ints(let given)? = node.attribute("axes") { reduced = given }
    if node.inputs.count > 1 { reduced = graph.constantIntegers(node.inputs[1]) }
    guard let reduced, !reduced.isEmpty else { throw mixes(node, id) }
    let places = reduced.map { normalized($0, rank) }
    if places.contains(axis) { throw mixes(node, id) }
    return integer(node, "keepdims") == 0 ? axis - places.count { $0 < axis } : axis
  }

  private func movement(_ node: Node, _ id: NodeID) throws(CacheRewriteError) -> Int {
    if node.op == "Concat" {
      let (axis, rank) = try first(of: node, id)
      for operand in node.inputs.compactMap({ $0 }) where axes[operand] != axis {
        throw perToken(operand, node, id)
      }
      if normalized(integer(node, "axis") ?? 0, rank) == axis { throw mixes(node, id) }
      return axis
    }
    let (axis, rank) = try first(of: node, id)
    switch node.op {
    case "Split":
      if normalized(integer(node, "axis") ?? 0, rank) == axis { throw mixes(node, id) }
      return axis
    case "Gather":
      let along = normalized(integer(node, "axis") ?? 0, rank)
      guard along != axis, node.inputs.count == 2, let indices = node.inputs[1],
        axes[indices] == nil
      else { throw mixes(node, id) }
      return along < axis ? axis - 1 + (try shape(indices, node, id)).count : axis
    case "Slice":
      let along = node.inputs.count > 3 ? graph.constantIntegers(node.inputs[3]) : nil
      guard let along, !along.map({ normalized($0, rank) }).contains(axis) else {
        throw mixes(node, id)
      }
      return axis
    default:
      guard node.inputs.count == 2, let places = graph.constantIntegers(node.inputs[1]) else {
        throw unknown(node, id)
      }
      if node.op == "Squeeze" { return axis - places.count { normalized($0, rank) < axis } }
      var result = axis
      for place in places.map({ normalized($0, rank + places.count) }).sorted()
      where place <= result { result += 1 }
      return result
    }
  }

  /// Where the tokens are after a change of shape that keeps them apart, and the shape that says so for
  /// any number of them.
  private mutating func reshape(
    _ node: Node, _ id: NodeID, isRewritten: Bool
  ) throws(CacheRewriteError) -> Int {
    guard let output = node.outputs.first ?? nil, let input = node.inputs.first ?? nil else {
      throw unknown(node, id)
    }
    let (axis, _) = try first(of: node, id)
    let (before, after) = (try shape(input, node, id), try shape(output, node, id))
    let outside = before[..<axis].reduce(Dimension(1), *)
    let place = after.indices.first {
      after[$0] == before[axis] && after[..<$0].reduce(Dimension(1), *) == outside
    }
    guard let place else {
      throw CacheRewriteError(
        "not-row-wise", at: self.place,
        "\(label(node, id)) puts tokens and another axis together: from "
          + "\(Self.text(before)) to \(Self.text(after))", hint: Self.hint,
        category: .badSchedule)
    }
    guard isRewritten else { return place }
    var sizes: [Int] = []
    for (index, size) in after.enumerated() {
      if index == place {
        sizes.append(-1)
      } else if let value = size.value {
        sizes.append(value)
      } else if index < before.count, before[index] == size {
        sizes.append(0)
      } else {
        throw CacheRewriteError(
          "not-row-wise", at: self.place,
          "\(label(node, id)) has a free size beside that of the tokens: \(Self.text(after))",
          hint: "pass --dim for the free dimensions of the model", category: .badSchedule)
      }
    }
    shapes[id] = sizes
    return place
  }

  // MARK: - Facts

  private func first(
    of node: Node, _ id: NodeID
  ) throws(CacheRewriteError) -> (axis: Int, rank: Int) {
    guard let input = node.inputs.first ?? nil, let axis = axes[input] else {
      throw mixes(node, id)
    }
    return (axis, try shape(input, node, id).count)
  }

  private func shape(
    _ value: ValueID, _ node: Node, _ id: NodeID
  ) throws(CacheRewriteError) -> [Dimension] {
    guard let shape = graph.tensorType(of: value)?.shape else { throw unknown(node, id) }
    return shape
  }

  private func integer(_ node: Node, _ name: String) -> Int? {
    if case .int(let value)? = node.attribute(name) { value } else { nil }
  }

  private func normalized(_ axis: Int, _ rank: Int) -> Int { axis < 0 ? axis + rank : axis }

  // MARK: - Errors

  private static let hint =
    "'body' on some tokens takes a module that treats each token by itself: an mlp, a cross_attention"

  private static func text(_ shape: [Dimension]) -> String {
    "[\(shape.map(\.description).joined(separator: ", "))]"
  }

  private func label(_ node: Node, _ id: NodeID) -> String {
    "\(node.op.type) '\(node.name.isEmpty ? Name(graph.label(of: id)) : node.name)'"
  }

  private func mixes(_ node: Node, _ id: NodeID) -> CacheRewriteError {
    CacheRewriteError(
      "not-row-wise", at: place, "\(label(node, id)) lets tokens read each other", hint: Self.hint,
      category: .badSchedule)
  }

  private func perToken(_ value: ValueID, _ node: Node, _ id: NodeID) -> CacheRewriteError {
    CacheRewriteError(
      "not-row-wise", at: place,
      "\(label(node, id)) reads '\(graph.name(of: value))', which has a row of its own for each token "
        + "and does not come from the operand", hint: Self.hint, category: .badSchedule)
  }

  private func unknown(_ node: Node, _ id: NodeID) -> CacheRewriteError {
    CacheRewriteError(
      "not-row-wise", at: place,
      "whether \(label(node, id)) treats each token by itself is not known", hint: Self.hint,
      category: .badSchedule)
  }
}
