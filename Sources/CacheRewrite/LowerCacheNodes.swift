public import GraphIR
public import Rewrite

/// Writes every cache node as an ONNX `If` that owns the body; state pairs are kept.
///
/// This is the only meaning a cache node has, for files and for the interpreter alike.
public struct LowerCacheNodes: Pass {
  /// `lower-cache-nodes`.
  public let name = "lower-cache-nodes"

  /// The pass.
  public init() {}

  /// Replaces each cache node by an `If`: true computes.
  public func run(on graph: inout Graph, report: inout PassReport) throws {
    for id in graph.order {
      let node = graph[id]
      guard let cache = node.cache else { continue }
      graph.replace(
        id,
        with: Node(
          "If", name: node.name, inputs: node.inputs, outputs: node.outputs,
          attributes: [
            Attribute("then_branch", .graph(cache.body)),
            Attribute("else_branch", .graph(cache.reuse)),
          ]))
      report.changed(cache.site, "written as If")
    }
  }
}
