public import GraphIR
public import Rewrite
import Tensors

/// `com.microsoft.SkipLayerNormalization` becomes `Add` and `LayerNormalization`.
///
/// ONNX Runtime's optimiser hides a residual addition in it: `LayerNorm(input + skip + bias)`, whose
/// fourth result is the sum (docs/ContribOperators.md of onnxruntime).
public struct SkipLayerNormalizationDecomposition: RewriteRule {
  /// `skip-layer-normalization`.
  public static let name = "skip-layer-normalization"
  /// `com.microsoft.SkipLayerNormalization`.
  public static let roots: Set<OpKey> = [OpKey("SkipLayerNormalization", domain: "com.microsoft")]

  /// The operands by their meaning.
  public struct Match: Sendable {
    let node: NodeID
    let input: ValueID
    let skip: ValueID
    let gamma: ValueID
    let beta: ValueID?
    let bias: ValueID?
    let epsilon: Float
    let result: ValueID
    let sum: ValueID?
  }

  /// The rule.
  public init() {}

  /// Matches a norm whose statistics nobody reads, from operator set 17 on.
  public func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    let graph = context.graph
    let facts = graph[node]
    guard facts.inputs.count >= 3, let input = facts.inputs[0], let skip = facts.inputs[1],
      let gamma = facts.inputs[2], let result = facts.outputs.first ?? nil
    else { throw .notThisPattern }
    guard graph.opset >= 17 else {
      throw .declined("LayerNormalization needs opset 17, the model imports \(graph.opset)")
    }
    for position in 1...2 where position < facts.outputs.count {
      if let statistic = facts.outputs[position], !context.uses.isUnused(statistic) {
        throw .declined("its mean or variance is read")
      }
    }
    var epsilon: Float = 1e-12
    if case .float(let number)? = facts.attribute("epsilon") { epsilon = number }
    return Match(
      node: node, input: input, skip: skip, gamma: gamma,
      beta: facts.inputs.count > 3 ? facts.inputs[3] : nil,
      bias: facts.inputs.count > 4 ? facts.inputs[4] : nil, epsilon: epsilon, result: result,
      sum: facts.outputs.count > 3 ? facts.outputs[3] : nil)
  }

  /// Writes standard operators; the sum is that of the original where it has a name.
  public func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let name = editor.graph.name(of: match.result)
    let type = editor.graph.type(of: match.input)
    let scopes = editor.graph[match.node].scopes
    func insert(
      _ op: OpKey, _ inputs: [ValueID?], _ output: ValueID, _ attributes: [Attribute] = []
    ) {
      editor.insert(
        Node(
          op, name: editor.graph.name(of: output), inputs: inputs, outputs: [output],
          attributes: attributes, scopes: scopes), before: match.node)
    }
    let sum = match.sum ?? editor.makeValue(like: name.derived("sum"), type: type)
    if let bias = match.bias {
      let partial = editor.makeValue(like: name.derived("partial"), type: type)
      insert("Add", [match.input, match.skip], partial)
      insert("Add", [partial, bias], sum)
    } else {
      insert("Add", [match.input, match.skip], sum)
    }
    insert(
      "LayerNormalization", [sum, match.gamma] + (match.beta.map { [$0] } ?? []), match.result,
      [Attribute("axis", .int(-1)), Attribute("epsilon", .float(match.epsilon))])
    editor.remove(match.node)
    return "written as Add and LayerNormalization"
  }
}
