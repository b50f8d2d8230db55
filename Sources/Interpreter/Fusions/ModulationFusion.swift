import GraphIR
import Operators
import Rewrite
import Tensors

/// A norm of the last axis with the factor and shift behind it becomes `FusedNormalization`.
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
  }

  func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    let facts = context.graph[node]
    guard let normal = context.result(node), let shape = context.shape(normal),
      let next = context.soleUser(normal)
    else { throw .notThisPattern }
    let isLayer = facts.op == "LayerNormalization"
    guard context.isLastAxis(context.integer(node, "axis", default: -1), ofRank: shape.count),
      facts.outputs.dropFirst().allSatisfy({ $0.map(context.uses.isUnused) ?? true })
    else { throw .declined("more than the last axis is normalised, or the mean is read") }
    guard context.dataType(normal) == .float32 else {
      throw .declined("the elements are \(context.dataType(normal)?.description ?? "unknown")")
    }
    var match = Match(
      nodes: [node], kind: isLayer ? "layer" : "rms",
      epsilon: facts.attribute("epsilon") ?? .float(1e-5),
      operands: [
        context.operand(node, 0), context.operand(node, 1),
        isLayer ? context.operand(node, 2) : nil,
      ])
    var value = normal
    if context.graph[next].op == "Mul", let other = modulation(value, next, shape, context),
      let product = context.result(next)
    {
      match.factor = other
      match.nodes.append(next)
      value = product
    }
    if let sum = context.soleUser(value), context.graph[sum].op == "Add",
      let other = modulation(value, sum, shape, context), context.shape(other) != shape
    {
      match.shift = other
      match.nodes.append(sum)
    }
    guard match.nodes.count > 1 else { throw .notThisPattern }
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
        attributes: [Attribute("kind", .text(match.kind)), Attribute("epsilon", match.epsilon)],
        scopes: graph[last].scopes), before: last)
    return "a norm with its modulation"
  }

  /// The other operand, when it has an element for each of the last axis and broadcasts.
  private func modulation(
    _ value: ValueID, _ node: NodeID, _ shape: [Int], _ context: MatchContext
  ) -> ValueID? {
    guard let other = context.partner(of: value, in: node), let own = context.shape(other),
      own.last == shape.last, Shape.broadcasts(own, to: shape),
      context.dataType(other) == .float32, context.shape(context.result(node)) == shape
    else { return nil }
    return other
  }
}
