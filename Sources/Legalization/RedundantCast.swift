public import GraphIR
public import Rewrite
import Tensors

/// A `Cast` to the type that its operand has already is removed.
///
/// ONNX Runtime's fusion of RMSNorm loses the result of such a cast when the norm reads the tensor
/// once through it and once directly (`.float()` on float32 in PyTorch, the legacy exporter), and
/// then refuses to load: "Node input … is not a graph input, initializer, or output of a previous
/// node" (1.31 and 1.32).
public struct RedundantCast: RewriteRule {
  /// `redundant-cast`.
  public static let name = "redundant-cast"
  /// `Cast`.
  public static let roots: Set<OpKey> = ["Cast"]

  /// A cast that changes nothing.
  public struct Match: Sendable {
    let node: NodeID
    let operand: ValueID
    let result: ValueID
    let type: DataType
  }

  /// The rule.
  public init() {}

  /// Matches a cast whose operand has the type asked for; not a cast that makes a graph output.
  public func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    let facts = context.graph[node]
    guard case .int(let number)? = facts.attribute("to"),
      let type = Int32(exactly: number).flatMap(DataType.init(rawValue:)),
      let operand = facts.inputs.first ?? nil, let result = facts.outputs.first ?? nil,
      context.graph.tensorType(of: operand)?.dataType == type, !context.uses.isOutput(result)
    else { throw .notThisPattern }
    return Match(node: node, operand: operand, result: result, type: type)
  }

  /// Lets the readers read the operand.
  public func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    editor.redirect(match.result, to: match.operand)
    editor.remove(match.node)
    return "removed: its operand is \(match.type) already"
  }
}
