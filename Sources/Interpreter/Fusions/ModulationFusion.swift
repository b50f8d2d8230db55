import GraphIR
import Operators
import Rewrite
import Tensors

/// A norm of the last axis with the factor and shift behind it, and the Casts around them, becomes
/// `FusedNormalization`.
struct ModulationFusion: RewriteRule {
  static let name = "fused-modulation"
  static let roots: Set<OpKey> = ["LayerNormalization", "RMSNormalization"]

  struct Match: Sendable {
    var nodes: [NodeID]
    let kind: String
    let epsilon: AttributeValue
    let operands: [ValueID?]
    var factor: ValueID?
    var shift: ValueID?
    var result: [Attribute] = []
  }

  func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    let facts = context.graph[node]
    guard let normal = context.result(node), let shape = context.shape(normal) else {
      throw .notThisPattern
    }
    let isLayer = facts.op == "LayerNormalization"
    guard context.isLastAxis(context.integer(node, "axis", default: -1), ofRank: shape.count),
      facts.outputs.dropFirst().allSatisfy({ $0.map(context.uses.isUnused) ?? true })
    else { throw .declined("more than the last axis is normalised, or the mean is read") }
    try context.requireFusible(normal, "the elements are")
    let x = context.beforeWidening(context.operand(node, 0))
    var match = Match(
      nodes: [node], kind: isLayer ? "layer" : "rms",
      epsilon: facts.attribute("epsilon") ?? .float(1e-5),
      operands: [x, context.operand(node, 1), isLayer ? context.operand(node, 2) : nil])
    var value = normal
    func take(_ node: NodeID?) {
      guard let node, let result = context.result(node) else { return }
      match.nodes.append(node)
      value = result
    }
    if let cast = context.widening(of: value), let wide = context.result(cast),
      let next = context.soleUser(wide), modulation(wide, next, shape, context) != nil,
      ["Mul", "Add"].contains(context.graph[next].op)
    {
      take(cast)
    }
    if let next = context.soleUser(value), context.graph[next].op == "Mul",
      let other = modulation(value, next, shape, context)
    {
      match.factor = other
      take(next)
    }
    if let sum = context.soleUser(value), context.graph[sum].op == "Add",
      let other = modulation(value, sum, shape, context), context.shape(other) != shape
    {
      match.shift = other
      take(sum)
    }
    take(context.rounding(of: value))
    guard match.nodes.count > 1 || x != context.operand(node, 0) else { throw .notThisPattern }
    match.result = context.resultType(value, unlike: x)
    return match
  }

  func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let graph = editor.original
    let last = match.nodes[match.nodes.count - 1]
    for node in match.nodes { editor.remove(node) }
    editor.insert(
      Node(
        .fused("FusedNormalization"), name: graph[match.nodes[0]].name,
        inputs: match.operands + [match.factor, match.shift],
        outputs: [graph[last].outputs[0]],
        attributes: [Attribute("kind", .text(match.kind)), Attribute("epsilon", match.epsilon)]
          + match.result,
        scopes: graph[last].scopes), before: last)
    let isModulated = match.factor != nil || match.shift != nil
    return isModulated ? "a norm with its modulation" : "a norm with its casts"
  }

  /// The other operand, when it has an element for each of the last axis and broadcasts.
  private func modulation(
    _ value: ValueID, _ node: NodeID, _ shape: [Int], _ context: MatchContext
  ) -> ValueID? {
    guard let other = context.partner(of: value, in: node), let own = context.shape(other),
      own.last == shape.last, Shape.broadcasts(own, to: shape),
      context.dataType(other)?.isFusible == true, context.shape(context.result(node)) == shape
    else { return nil }
    return other
  }
}
