public import CacheContract
public import GraphIR
import ModelStructure
import Rewrite
public import ScheduleLanguage
import Tensors

/// The small cached graph that stands in for the unconditional call of guidance.
///
/// A schedule's rule for `uncond` is lowered like any other, on a graph of one node: its site takes
/// `cond`, what the model made of the conditional call, and gives `uncond`, what it made of the other
/// one, or what the rule puts in its place.
public struct UnconditionalCall: Sendable {
  /// The lowered graph, of inputs `cond`, `uncond` and `timestep`.
  public let graph: Graph
  /// What a host needs to know of it.
  public let manifest: Manifest

  /// The first operator set with `DFT`.
  private static let opset = 17

  /// The graph of one node for the outputs of a model, and the site in it.
  static func blank(
    for model: Graph, inputs: ModelInputs
  ) throws -> (graph: Graph, site: CachePlan.Site, timestep: ValueID) {
    guard let output = model.outputs.first, let type = model.tensorType(of: output) else {
      throw CacheRewriteError("no-output", at: "uncond", "the model has no output")
    }
    var graph = Graph(name: "uncond", opsets: ["": opset])
    let cond = graph.addInput("cond", type: .tensor(type))
    let uncond = graph.addInput("uncond", type: .tensor(type))
    let own = inputs.timestep.flatMap { model.value(named: $0) }
    let timestep = graph.addInput(
      "timestep",
      type: own.map { model.type(of: $0) } ?? .tensor(.float32, [Dimension(symbol: "batch")]))
    let rebuilt = graph.emit("Identity", [uncond], name: "rebuilt", type: .tensor(type))
    graph.addOutput(rebuilt)
    let site = CachePlan.Site(
      rule: 0, name: "uncond", streams: [Stream(input: cond, output: rebuilt)],
      nodes: Array(graph.order), blocks: 0...0)
    return (graph, site, timestep)
  }
}

extension CacheRewriter {
  /// Lowers a schedule's rule for the unconditional call; nil if there is none.
  ///
  /// - Parameters:
  ///   - model: the model, for the types of its output and timestep
  ///   - schedule: a schedule of that rule alone
  ///   - originalDigest: SHA-256 of the original file
  /// - Returns: the lowered graph and its manifest
  /// - Throws: `CacheRewriteError`, `ScheduleError` or `PassFailure`
  public func unconditionalCall(
    of model: Graph, following schedule: Schedule, originalDigest: String
  ) throws -> UnconditionalCall? {
    guard !schedule.rules.isEmpty else { return nil }
    let resolved = try schedule.resolve(
      in: BlockLayout(families: []), steps: steps, noise: noise)
    let (graph, site, timestep) = try UnconditionalCall.blank(for: model, inputs: inputs)
    let plan = CachePlan(resolved, site: site, timestep: timestep)
    var cached = graph
    _ = try PassPipeline([WrapBlocks(plan, convention: .required), LowerCacheNodes()])
      .run(on: &cached)
    let costs = CostSheet(plan: plan, original: graph, rewritten: cached)
    var manifest = manifest(plan, cached, families: [], costs, originalDigest)
    manifest.branches = nil
    return UnconditionalCall(graph: cached, manifest: manifest)
  }
}
