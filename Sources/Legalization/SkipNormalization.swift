public import GraphIR
public import Rewrite
import Tensors

/// `SkipLayerNormalization` and `SkipSimplifiedLayerNormalization` become additions and a norm.
///
/// ONNX Runtime's optimiser fuses a residual addition with the norm behind it
/// (onnxruntime/core/optimizer/skip_layer_norm_fusion.cc); the residual spine is found by its
/// additions, so this is undone before blocks are looked for.
public struct SkipNormalization: RewriteRule {
  /// `skip-normalization`.
  public static let name = "skip-normalization"
  /// Both operators.
  public static let roots: Set<OpKey> = [layer, simplified]

  private static let layer = OpKey("SkipLayerNormalization", domain: "com.microsoft")
  private static let simplified = OpKey("SkipSimplifiedLayerNormalization", domain: "com.microsoft")

  /// A node and its operands.
  public struct Match: Sendable {
    let node: NodeID
    let isLayer: Bool
    let addends: [ValueID]
    let parameters: [ValueID?]
    let sum: ValueID?
    let result: ValueID
    let epsilon: AttributeValue
  }

  /// The rule.
  public init() {}

  /// Matches a node whose mean and deviation nobody reads.
  public func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    let graph = context.graph
    let facts = graph[node]
    let isLayer = facts.op == Self.layer
    let biasPosition = isLayer ? 4 : 3
    func operand(_ position: Int) -> ValueID? {
      position < facts.inputs.count ? facts.inputs[position] : nil
    }
    guard let input = operand(0), let skip = operand(1), let scale = operand(2),
      let result = facts.outputs.first.flatMap({ $0 })
    else { throw .notThisPattern }
    for position in 1..<3 {
      guard position < facts.outputs.count, let extra = facts.outputs[position] else { continue }
      guard context.uses.isUnused(extra) else {
        throw .declined("mean or deviation of the norm is read")
      }
    }
    guard !isLayer || graph.opset >= 17 else {
      throw .declined("LayerNormalization needs operator set 17, the model imports \(graph.opset)")
    }
    return Match(
      node: node, isLayer: isLayer,
      addends: [input] + [operand(biasPosition), skip].compactMap { $0 },
      parameters: isLayer ? [scale, operand(3)] : [scale],
      sum: facts.outputs.count > 3 ? facts.outputs[3] : nil, result: result,
      epsilon: facts.attribute("epsilon") ?? .float(1e-12))
  }

  /// Writes input + bias + skip, and the norm of the sum over its last axis.
  public func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let graph = editor.original
    let name = graph.name(of: match.result)
    let scopes = graph[match.node].scopes
    let type = graph.type(of: match.result)
    var total = match.addends[0]
    for (position, addend) in match.addends.dropFirst().enumerated() {
      let isLast = position == match.addends.count - 2
      let sum =
        (isLast ? match.sum : nil)
        ?? editor.makeValue(like: Name(bytes: name.bytes + Array("/sum".utf8)), type: type)
      editor.insert(
        Node(
          "Add", name: editor.name(of: sum), inputs: [total, addend], outputs: [sum],
          scopes: scopes), before: match.node)
      total = sum
    }
    var parameters = match.parameters
    while parameters.last == .some(nil) { parameters.removeLast() }
    editor.insert(
      Node(
        match.isLayer ? "LayerNormalization" : "SimplifiedLayerNormalization", name: name,
        inputs: [total] + parameters, outputs: [match.result],
        attributes: [Attribute("axis", .int(-1)), Attribute("epsilon", match.epsilon)],
        scopes: scopes), before: match.node)
    editor.remove(match.node)
    return "written as an addition and a norm, so that the residual spine can be followed"
  }
}
