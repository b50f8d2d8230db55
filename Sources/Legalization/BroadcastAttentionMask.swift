public import GraphIR
public import Rewrite
import Tensors

/// An attention mask that is broadcast along the queries is expanded to their number.
///
/// ONNX allows `[…, 1, keys]` for the mask of `Attention`; ONNX Runtime 1.31 fails at run time with
/// "inconsistent q_sequence_length (between attn_mask and Q)". The cost is one small Expand.
public struct BroadcastAttentionMask: RewriteRule {
  /// `broadcast-attention-mask`.
  public static let name = "broadcast-attention-mask"
  /// `Attention`.
  public static let roots: Set<OpKey> = ["Attention"]

  /// An attention whose mask has one row.
  public struct Match: Sendable {
    let node: NodeID
    let query: ValueID
    let queryAxis: Int
    let mask: ValueID
    let maskRank: Int
  }

  /// The rule.
  public init() {}

  /// Matches an attention with a mask of one row and more than one query.
  public func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    let inputs = context.graph[node].inputs
    guard inputs.count > 3, let query = inputs[0], let mask = inputs[3] else {
      throw .notThisPattern
    }
    guard let maskShape = context.graph.tensorType(of: mask)?.shape,
      let queryShape = context.graph.tensorType(of: query)?.shape, queryShape.count >= 3
    else { throw .declined("the shapes of the mask and the queries are not known") }
    let queryAxis = queryShape.count - 2
    guard maskShape.count >= 2, maskShape[maskShape.count - 2] == 1, queryShape[queryAxis] != 1
    else { throw .notThisPattern }
    return Match(
      node: node, query: query, queryAxis: queryAxis, mask: mask, maskRank: maskShape.count)
  }

  /// Puts an `Expand` between the mask and the attention.
  public func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let graph = editor.original
    let name = graph.name(of: match.mask)
    func derived(_ suffix: String) -> Name { Name(bytes: name.bytes + Array("/\(suffix)".utf8)) }
    func ones(_ count: Int, _ suffix: String) -> ValueID {
      editor.addInitializer(
        derived(suffix), StoredTensor(Tensor([Int64](repeating: 1, count: count))))
    }
    let before = ones(match.maskRank - 2, "leading")
    let after = ones(1, "trailing")
    let length = editor.makeValue(like: derived("queries"), type: .tensor(.int64, [1]))
    let target = editor.makeValue(
      like: derived("shape"), type: .tensor(.int64, [Dimension(match.maskRank)]))
    var type = graph.tensorType(of: match.mask) ?? TensorType(nil, nil)
    type.shape?[match.maskRank - 2] =
      graph.tensorType(of: match.query)?.shape?[match.queryAxis] ?? 1
    let expanded = editor.makeValue(like: derived("expanded"), type: .tensor(type))
    editor.insert(
      Node(
        "Shape", name: derived("queries"), inputs: [match.query], outputs: [length],
        attributes: [
          Attribute("start", .int(match.queryAxis)), Attribute("end", .int(match.queryAxis + 1)),
        ]), before: match.node)
    editor.insert(
      Node(
        "Concat", name: derived("shape"), inputs: [before, length, after], outputs: [target],
        attributes: [Attribute("axis", .int(0))]), before: match.node)
    editor.insert(
      Node("Expand", name: derived("expanded"), inputs: [match.mask, target], outputs: [expanded]),
      before: match.node)
    var attention = graph[match.node]
    attention.inputs[3] = expanded
    editor.insert(attention, before: match.node)
    editor.remove(match.node)
    return "mask expanded to the number of queries"
  }
}
