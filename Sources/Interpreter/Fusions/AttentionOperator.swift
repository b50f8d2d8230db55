import GraphIR
import Operators
import Rewrite
import Tensors

/// The operator Attention becomes `FusedAttention` where products round their factors.
struct AttentionOperator: RewriteRule {
  static let name = "attention-operator"
  static let roots: Set<OpKey> = ["Attention"]

  let precision: MatrixPrecision

  struct Match: Sendable {
    let node: NodeID
    let operands: [ValueID?]
    let scale: Float
  }

  func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    let facts = context.graph[node]
    guard precision != .float32 else { throw .notThisPattern }
    let operands = (0..<4).map { context.operand(node, $0) }
    guard (4..<7).allSatisfy({ context.operand(node, $0) == nil }),
      facts.outputs.dropFirst().allSatisfy({ $0.map(context.uses.isUnused) ?? true })
    else { throw .declined("it has a past, lengths or several results") }
    guard context.integer(node, "is_causal", default: 0) == 0,
      number(facts.attribute("softcap")) ?? 0 == 0
    else { throw .declined("the scores are causal or bounded") }
    let shapes = operands.prefix(3).map { context.shape($0) }
    guard let query = shapes[0], let key = shapes[1], let value = shapes[2], query.count == 4,
      key.count == 4, value.count == 4, query.prefix(2) == key.prefix(2),
      query.prefix(2) == value.prefix(2)
    else { throw .declined("queries and keys have different batches or heads, or not four axes") }
    if let mask = operands[3] {
      guard let own = context.shape(mask),
        Shape.broadcasts(own, to: [query[0], query[1], query[2], key[2]])
      else { throw .declined("the mask does not broadcast to the scores") }
    }
    for operand in operands.prefix(3) { try context.requireFusible(operand, "an operand is") }
    return Match(
      node: node, operands: operands,
      scale: number(facts.attribute("scale")) ?? 1 / Float(max(1, query[3])).squareRoot())
  }

  func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let node = editor.original[match.node]
    editor.remove(match.node)
    editor.insert(
      Node(
        .fused("FusedAttention"), name: node.name, inputs: match.operands,
        outputs: [node.outputs[0]],
        attributes: [
          Attribute("scale", .float(match.scale)), Attribute("hidden_is_zero", .int(1)),
          Attribute("precision", .text(precision.rawValue)),
        ], scopes: node.scopes), before: match.node)
    return "attention whose factors are rounded"
  }

  private func number(_ attribute: AttributeValue?) -> Float? {
    if case .float(let number)? = attribute { number } else { nil }
  }
}
