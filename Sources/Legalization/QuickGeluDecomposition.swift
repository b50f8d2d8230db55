public import GraphIR
public import Rewrite
import Tensors

/// `com.microsoft.QuickGelu` becomes `x · Sigmoid(alpha · x)`.
///
/// ONNX Runtime's optimiser writes SiLU so, with alpha 1 (docs/ContribOperators.md of onnxruntime;
/// the default alpha is 1.702).
public struct QuickGeluDecomposition: RewriteRule {
  /// `quick-gelu`.
  public static let name = "quick-gelu"
  /// `com.microsoft.QuickGelu`.
  public static let roots: Set<OpKey> = [OpKey("QuickGelu", domain: "com.microsoft")]

  /// An activation and its scale.
  public struct Match: Sendable {
    let node: NodeID
    let operand: ValueID
    let result: ValueID
    let scale: Float
  }

  /// The rule.
  public init() {}

  /// Matches an activation of float32 numbers, or of any with alpha 1.
  public func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    let facts = context.graph[node]
    guard let operand = facts.inputs.first ?? nil, let result = facts.outputs.first ?? nil else {
      throw .notThisPattern
    }
    var scale: Float = 1.702
    if case .float(let alpha)? = facts.attribute("alpha") { scale = alpha }
    let type = context.graph.tensorType(of: operand)?.dataType
    guard scale == 1 || type == .float32 else {
      throw .declined("a scale of element type \(type.map(\.description) ?? "?")")
    }
    return Match(node: node, operand: operand, result: result, scale: scale)
  }

  /// Writes standard operators.
  public func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let name = editor.name(of: match.result)
    let type = editor.original.type(of: match.operand)
    let scopes = editor.original[match.node].scopes
    func insert(_ op: OpKey, _ inputs: [ValueID], _ output: ValueID) {
      editor.insert(
        Node(
          op, name: editor.name(of: output), inputs: inputs, outputs: [output],
          scopes: scopes), before: match.node)
    }
    var argument = match.operand
    if match.scale != 1 {
      let scale = editor.addInitializer(
        name.derived("alpha"), StoredTensor(Tensor([match.scale], shape: .scalar)))
      argument = editor.makeValue(like: name.derived("scaled"), type: type)
      insert("Mul", [match.operand, scale], argument)
    }
    let gate = editor.makeValue(like: name.derived("gate"), type: type)
    insert("Sigmoid", [argument], gate)
    insert("Mul", [match.operand, gate], match.result)
    editor.remove(match.node)
    return "written as standard operators"
  }
}
