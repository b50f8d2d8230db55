public import GraphIR
public import Rewrite
import Tensors

/// `Where` on bool tensors becomes `And`, `Or` and `Not`.
///
/// ONNX Runtime's CPU provider has no kernel for it and refuses to load the model
/// (NOT_IMPLEMENTED). PyTorch's `masked_fill` on a bool mask exports to it, as in HunyuanVideo.
public struct WhereOnBool: RewriteRule {
  /// `where-on-bool`.
  public static let name = "where-on-bool"
  /// `Where`.
  public static let roots: Set<OpKey> = ["Where"]

  /// A `Where` node and its three operands.
  public struct Match: Sendable {
    let node: NodeID
    let condition: ValueID
    let whenTrue: ValueID
    let whenFalse: ValueID
    let result: ValueID
  }

  /// The rule.
  public init() {}

  /// Matches a `Where` whose result is bool.
  public func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    let facts = context.graph[node]
    let operands = facts.inputs.compactMap { $0 }
    guard operands.count == 3, let result = facts.outputs.first, let result else {
      throw .notThisPattern
    }
    let types = [operands[1], operands[2], result].map {
      context.graph.tensorType(of: $0)?.dataType
    }
    guard types.contains(.bool) else { throw .notThisPattern }
    return Match(
      node: node, condition: operands[0], whenTrue: operands[1], whenFalse: operands[2],
      result: result)
  }

  /// Writes `(condition ∧ a) ∨ (¬condition ∧ b)`.
  public func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let graph = editor.original
    let name = graph.name(of: match.result)
    let conditionType = graph.type(of: match.condition)
    func type(with operand: ValueID) -> ValueType {
      let whole = graph.tensorType(of: match.result)?.shape
      let covers = [operand, match.condition].contains { graph.tensorType(of: $0)?.shape == whole }
      return .tensor(.bool, covers ? whole : nil)
    }
    func fresh(_ suffix: String, _ type: ValueType) -> ValueID {
      editor.makeValue(like: Name(bytes: name.bytes + Array("/\(suffix)".utf8)), type: type)
    }
    let taken = fresh("taken", type(with: match.whenTrue))
    let negated = fresh("negated", conditionType)
    let rest = fresh("rest", type(with: match.whenFalse))
    func insert(_ op: OpKey, _ inputs: [ValueID], _ output: ValueID) {
      editor.insert(
        Node(op, name: editor.name(of: output), inputs: inputs, outputs: [output]),
        before: match.node)
    }
    insert("And", [match.condition, match.whenTrue], taken)
    insert("Not", [match.condition], negated)
    insert("And", [negated, match.whenFalse], rest)
    insert("Or", [taken, rest], match.result)
    editor.remove(match.node)
    return "written as And, Or and Not: the runtime has no Where on bool"
  }
}
