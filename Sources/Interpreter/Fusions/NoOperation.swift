import GraphIR
import Operators
import Rewrite
import Tensors

/// Nodes that pass a value on, Identity and Cast to the type it has, or had before it was widened,
/// are left out.
struct NoOperation: RewriteRule {
  static let name = "no-operation"
  static let roots: Set<OpKey> = ["Identity", "Cast"]

  struct Match: Sendable {
    let node: NodeID
    let input: ValueID
    let output: ValueID
  }

  func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    guard let input = context.operand(node, 0), let output = context.result(node),
      !context.uses.isOutput(output), let type = context.dataType(output),
      let source = [input, context.beforeWidening(input)].first(where: {
        context.dataType($0) == type
      })
    else { throw .notThisPattern }
    return Match(node: node, input: source ?? input, output: output)
  }

  func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    editor.remove(match.node)
    editor.redirect(match.output, to: match.input)
    return "its result is its operand"
  }
}
