import GraphIR
import Operators
import Rewrite
import Tensors

/// A matrix product and the bias, activation, gate and residual behind it become `FusedLinear`.
///
/// Half types are rounded behind the last part, and where the model rounds before and behind the gate:
/// caches hold what gates and residuals read. Casts between the parts are taken in, and so is a Cast
/// that widens a stored weight. With a precision other than `float32` products without
/// anything behind them do, too.
struct LinearFusion: RewriteRule {
  static let name = "fused-linear"
  static let roots: Set<OpKey> = ["MatMul"]

  let precision: MatrixPrecision

  struct Match: Sendable {
    let product: NodeID
    let weight: ValueID
    var nodes: [NodeID]
    var bias: ValueID?
    var activation: String?
    var factor: ValueID?
    var addend: ValueID?
    var sumType: DataType?
    var productType: DataType?
    var result: [Attribute] = []
  }

  func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    guard var value = context.result(node),
      let weight = context.beforeWidening(context.operand(node, 1)),
      context.shape(weight)?.count == 2, let shape = context.shape(value), shape.count >= 2
    else { throw .notThisPattern }
    try context.requireFusible(value, "the product is")
    var match = Match(product: node, weight: weight, nodes: [node])
    while let next = context.soleUser(value), context.result(next) != nil,
      extend(&match, by: next, value, shape, context), let result = context.result(next)
    {
      match.nodes.append(next)
      value = result
    }
    // What is only widened stays rounded: it may be a stream that caches hold, too.
    if let last = match.nodes.last, context.graph[last].op == "Cast", !isDone(match, context),
      let before = context.operand(last, 0)
    {
      match.nodes.removeLast()
      match.sumType = nil
      value = before
    }
    match.result = context.resultType(value, unlike: context.operand(node, 0))
    guard match.nodes.count > 1 || precision != .float32 || weight != context.operand(node, 1)
    else {
      if context.soleUser(value) == nil, let user = context.uses.users(of: value).first,
        context.graph[user].op == "Add"
      {
        throw .declined("the product is read by several nodes")
      }
      throw .notThisPattern
    }
    return match
  }

  func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let graph = editor.original
    let operands = graph[match.product].inputs
    let last = match.nodes[match.nodes.count - 1]
    var attributes: [Attribute] = []
    if let activation = match.activation {
      attributes.append(Attribute("activation", .text(activation)))
    }
    if precision != .float32 {
      attributes.append(Attribute("precision", .text(precision.rawValue)))
    }
    attributes += match.result
    for (name, type) in [("sum_type", match.sumType), ("product_type", match.productType)] {
      if let type, type.isHalf { attributes.append(Attribute(name, .int(Int(type.rawValue)))) }
    }
    for node in match.nodes { editor.remove(node) }
    editor.insert(
      Node(
        .fused("FusedLinear"), name: graph[match.product].name,
        inputs: [operands[0], match.weight, match.bias, match.factor, match.addend],
        outputs: [graph[last].outputs[0]], attributes: attributes,
        scopes: graph[last].scopes), before: last)
    let parts = [
      match.bias.map { _ in "bias" }, match.activation, match.factor.map { _ in "factor" },
      match.addend.map { _ in "addend" },
    ].compactMap { $0 }
    return "a product" + (parts.isEmpty ? "" : " with \(parts.joined(separator: ", "))")
  }

  /// Takes one more node in; false when it does not follow in the order of an epilogue.
  private func extend(
    _ match: inout Match, by node: NodeID, _ value: ValueID, _ shape: [Int],
    _ context: MatchContext
  ) -> Bool {
    guard let result = context.result(node), context.shape(result) == shape, !isDone(match, context)
    else { return false }
    if context.rounding(of: value) == node { return true }
    guard match.addend == nil else { return false }
    if context.widening(of: value) == node, match.factor == nil {
      match.sumType = context.dataType(value)
      return true
    }
    let isWidened = context.beforeWidening(value) != value
    switch context.graph[node].op {
    case "Add":
      guard let other = partner(of: value, in: node, context), let own = context.shape(other) else {
        return false
      }
      let isRow = own.last == shape.last && own.dropLast().allSatisfy { $0 == 1 }
      if isRow, match.bias == nil, match.activation == nil, match.factor == nil, !isWidened {
        match.bias = other
        return true
      }
      guard own == shape else { return false }
      round(&match, before: value, context)
      match.addend = other
      return true
    case "Gelu", OpKey("Gelu", domain: "com.microsoft"):
      guard match.activation == nil, match.factor == nil, !isWidened else { return false }
      guard case .string(let word)? = context.graph[node].attribute("approximate") else {
        match.activation = "gelu"
        return true
      }
      match.activation = word == Array("tanh".utf8) ? "gelu_tanh" : "gelu"
      return true
    case OpKey("FastGelu", domain: "com.microsoft"):
      guard match.activation == nil, match.factor == nil, !isWidened,
        context.operand(node, 1) == nil
      else {
        return false
      }
      match.activation = "gelu_tanh"
      return true
    case "Mul":
      guard match.factor == nil, let other = partner(of: value, in: node, context),
        let own = context.shape(other), own.last == shape.last, Shape.broadcasts(own, to: shape)
      else { return false }
      round(&match, before: value, context)
      match.factor = other
      match.productType = context.dataType(result)
      return true
    default: return false
    }
  }

  /// Notes what a gate or residual reads as rounded to its type.
  private func round(_ match: inout Match, before value: ValueID, _ context: MatchContext) {
    if match.factor == nil { match.sumType = match.sumType ?? context.dataType(value) }
  }

  /// True behind a Cast that rounds: a rounding is the last part.
  private func isDone(_ match: Match, _ context: MatchContext) -> Bool {
    guard let last = match.nodes.last, context.graph[last].op == "Cast" else { return false }
    return context.dataType(context.result(last))?.isHalf == true
  }

  /// The other operand, of a type that is computed, as it was before it was widened.
  private func partner(
    of value: ValueID, in node: NodeID, _ context: MatchContext
  ) -> ValueID? {
    let other = context.beforeWidening(context.partner(of: value, in: node))
    return context.dataType(other)?.isFusible == true ? other : nil
  }
}
