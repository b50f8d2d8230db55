public import GraphIR
public import Rewrite
import Tensors

/// A `Squeeze` that names axes of another size than 1 keeps those axes.
///
/// PyTorch's `squeeze(dim)` does nothing along such an axis, and the exporter writes it as an ONNX
/// `Squeeze` all the same, which the specification forbids: runtimes refuse the model. The meaning
/// is PyTorch's, so the axis is left out, and a `Squeeze` without axes is an `Identity`.
public struct InvalidSqueeze: RewriteRule {
  /// `invalid-squeeze`.
  public static let name = "invalid-squeeze"
  /// `Squeeze`.
  public static let roots: Set<OpKey> = ["Squeeze"]

  /// A squeeze, and the axes that it may remove.
  public struct Match: Sendable {
    let node: NodeID
    let kept: [Int]
    let removed: [Int]
    let shape: [Dimension]
  }

  /// The rule.
  public init() {}

  /// Matches a squeeze of an axis whose size is known not to be 1.
  public func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    let graph = context.graph
    let facts = graph[node]
    guard let data = facts.inputs.first ?? nil, let shape = graph.tensorType(of: data)?.shape,
      let axes = Self.axes(of: facts, in: graph)
    else { throw .notThisPattern }
    let normal = axes.map { $0 < 0 ? $0 + shape.count : $0 }
    guard normal.allSatisfy(shape.indices.contains) else { throw .notThisPattern }
    let kept = normal.filter { axis in shape[axis].value.map { $0 != 1 } ?? false }
    guard !kept.isEmpty else { throw .notThisPattern }
    return Match(
      node: node, kept: kept, removed: normal.filter { !kept.contains($0) }, shape: shape)
  }

  /// Writes an `Identity`, or a `Squeeze` of the axes of size 1.
  public func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    var node = editor.original[match.node]
    if match.removed.isEmpty {
      node.op = "Identity"
      node.inputs = Array(node.inputs.prefix(1))
      node.attributes = []
    } else if node.inputs.count > 1 {
      let name = node.name.derived("axes")
      node.inputs[1] = editor.addInitializer(
        name, StoredTensor(Tensor(match.removed.map { Int64($0) })))
    } else {
      node.attributes = [Attribute("axes", .ints(match.removed))]
    }
    node.origin = nil
    editor.insert(node, before: match.node)
    editor.remove(match.node)
    let sizes = match.kept.map { "axis \($0) has size \(match.shape[$0])" }
    return sizes.joined(separator: ", ") + ", which a Squeeze cannot remove; it is kept"
  }

  private static func axes(of node: Node, in graph: Graph) -> [Int]? {
    if case .ints(let axes)? = node.attribute("axes") { return axes }
    return node.inputs.count > 1 ? graph.constantIntegers(node.inputs[1]) : nil
  }
}
