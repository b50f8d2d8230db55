import GraphIR
import Operators
import Rewrite
import Tensors

/// x / √(mean x² + ε) · weight, written out, with the Casts around its parts, becomes
/// `FusedNormalization`.
struct RMSNormFusion: RewriteRule {
  static let name = "fused-rms-norm"
  static let roots: Set<OpKey> = ["ReduceMean"]

  struct Match: Sendable {
    let nodes: [NodeID]
    let x: ValueID
    let weight: ValueID?
    let epsilon: Float
    let result: [Attribute]
  }

  func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    guard let squares = context.operand(node, 0), let x = squared(squares, context),
      let shape = context.shape(x), let mean = context.result(node),
      let add = context.soleUser(mean), context.graph[add].op == "Add",
      let sum = context.result(add), let root = context.soleUser(sum),
      context.graph[root].op == "Sqrt", let deviation = context.result(root),
      let next = context.soleUser(deviation)
    else { throw .notThisPattern }
    guard axis(node, context).map({ context.isLastAxis($0, ofRank: shape.count) }) ?? false,
      context.integer(node, "keepdims", default: 1) == 1
    else { throw .declined("the mean is not along the last axis") }
    guard let epsilon = context.number(context.partner(of: mean, in: add)) else {
      throw .declined("what is added to the mean is no constant")
    }
    try context.requireFusible(x, "the elements are")
    var nodes = [node, add, root, next]
    if isReciprocal(next, of: deviation, context), let factor = context.result(next),
      let product = context.soleUser(factor), context.graph[product].op == "Mul",
      context.partner(of: factor, in: product) == x
    {
      nodes.append(product)
    } else if context.graph[next].op != "Div" || context.operand(next, 0) != x
      || context.operand(next, 1) != deviation
    {
      throw .declined("the root is used in another way")
    }
    guard var value = context.result(nodes[nodes.count - 1]) else {
      throw .notThisPattern
    }
    func take(_ node: NodeID?) {
      guard let node, let result = context.result(node) else { return }
      nodes.append(node)
      value = result
    }
    take(context.rounding(of: value))
    var weight: ValueID?
    if let scaling = context.soleUser(value), context.graph[scaling].op == "Mul",
      let other = context.partner(of: value, in: scaling),
      context.dataType(other)?.isFusible == true,
      context.shape(other) == [shape[shape.count - 1]]
    {
      weight = other
      take(scaling)
    }
    take(context.rounding(of: value))
    let source = context.beforeWidening(x) ?? x
    return Match(
      nodes: nodes, x: source, weight: weight, epsilon: epsilon,
      result: context.resultType(value, unlike: source))
  }

  func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let graph = editor.original
    let last = match.nodes[match.nodes.count - 1]
    for node in match.nodes { editor.remove(node) }
    editor.insert(
      Node(
        .fused("FusedNormalization"), name: graph[last].name,
        inputs: [match.x, match.weight],
        outputs: [graph[last].outputs[0]],
        attributes: [
          Attribute("kind", .text("rms")), Attribute("epsilon", .float(match.epsilon)),
        ] + match.result, scopes: graph[last].scopes), before: last)
    return "a norm in one pass"
  }

  private func isReciprocal(
    _ node: NodeID, of value: ValueID, _ context: MatchContext
  ) -> Bool {
    switch context.graph[node].op {
    case "Reciprocal": true
    case "Div":
      context.operand(node, 1) == value && context.number(context.operand(node, 0)) == 1
    default: false
    }
  }

  /// The value whose square this is.
  private func squared(_ value: ValueID, _ context: MatchContext) -> ValueID? {
    if let power = context.producer(of: value, "Pow"),
      context.number(context.operand(power, 1)) == 2
    {
      return context.operand(power, 0)
    }
    guard let product = context.producer(of: value, "Mul"),
      let x = context.operand(product, 0), context.operand(product, 1) == x
    else { return nil }
    return x
  }

  /// The axis that a reduction reduces, when it is one.
  private func axis(_ node: NodeID, _ context: MatchContext) -> Int? {
    if case .ints(let axes)? = context.graph[node].attribute("axes") {
      return axes.count == 1 ? axes[0] : nil
    }
    guard let axes = context.integers(context.operand(node, 1)) else { return nil }
    return axes.count == 1 ? axes[0] : nil
  }
}
