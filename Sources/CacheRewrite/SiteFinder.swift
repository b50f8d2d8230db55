import GraphIR
import ModelStructure
import ScheduleLanguage
import Tensors

/// Cuts the sites of a rule out of a graph.
struct SiteFinder {
  private let structure: ModelStructure
  private let graph: Graph
  private let uses: UseIndex
  private let inputs: ModelInputs

  init(_ structure: ModelStructure, graph: Graph, inputs: ModelInputs) {
    self.structure = structure
    self.graph = graph
    self.inputs = inputs
    uses = UseIndex(graph)
  }

  func sites(of rule: ResolvedRule, number: Int) throws -> [CachePlan.Site] {
    switch rule.rule.site {
    case .blocks, .stack:
      return try structure.runs(of: rule.positions, in: graph).map { range in
        let run = try structure.cut(range, in: graph, uses: uses)
        return CachePlan.Site(
          rule: number, name: run.site, streams: run.streams, nodes: run.nodes, blocks: range)
      }
    case .modules(let parts, _, let cut):
      let sites = try rule.positions.flatMap { position in
        try parts.compactMap { part in
          let block = structure.blocks[position]
          return try module(part, cut, of: block, number)
            ?? (part == .selfAttention && !parts.contains(.parallel)
              ? attention(inParallelOf: block, number) : nil)
        }
      }
      guard !sites.isEmpty else {
        throw CacheRewriteError(
          "no-such-module", at: rule.rule.site.text,
          "no block there has a module of this kind",
          hint: "`ditcache inspect` lists the modules of every block", category: .badSchedule)
      }
      return sites
    case .output: return [try output(number)]
    case .uncond: return []
    }
  }

  /// The modules of one kind in a block; those of several streams are cached together.
  private func module(
    _ part: ScheduleLanguage.Site.Part, _ cut: ScheduleLanguage.Site.Cut, of block: Block,
    _ number: Int
  ) throws -> CachePlan.Site? {
    var streams: [Stream] = []
    var name = part.rawValue
    for module in block.modules where part.kinds.contains(module.kind) {
      let value = cut == .beforeGate ? module.branch : module.addend
      guard !streams.contains(where: { $0.output == value }) else { continue }
      if streams.isEmpty { name = module.name }
      streams.append(Stream(input: module.input, output: value))
    }
    guard !streams.isEmpty else { return nil }
    return CachePlan.Site(
      rule: number, name: "\(block.name).\(name)", streams: streams,
      nodes: graph.nodes(onlyFor: Set(streams.map(\.output)), uses: uses),
      blocks: block.position...block.position)
  }

  /// The attention of a block that has it beside its mlp, under one projection: what it hands to
  /// where the two meet.
  private func attention(inParallelOf block: Block, _ number: Int) -> CachePlan.Site? {
    guard let module = block.modules.first(where: { $0.kind == .parallel }),
      let output = AttentionOperand(block, graph: graph).value(below: module.branch)
    else { return nil }
    return CachePlan.Site(
      rule: number, name: "\(block.name).\(ScheduleLanguage.Site.Part.selfAttention.rawValue)",
      streams: [Stream(input: module.input, output: output)],
      nodes: graph.nodes(onlyFor: [output], uses: uses),
      blocks: block.position...block.position)
  }

  /// The model's first output, for the latents.
  private func output(_ number: Int) throws(CacheRewriteError) -> CachePlan.Site {
    guard let output = graph.outputs.first, graph.producer(of: output) != nil else {
      throw CacheRewriteError("no-output", at: "output", "the model computes no output")
    }
    let latents = try TapValues.input(inputs.latents, "latents", of: graph)
    return CachePlan.Site(
      rule: number, name: "output",
      streams: [Stream(input: latents, output: output)],
      nodes: graph.nodes(onlyFor: [output], uses: uses),
      blocks: 0...(structure.blocks.count - 1))
  }
}

extension ScheduleLanguage.Site.Part {
  /// What the structure calls them.
  var kinds: Set<Module.Kind> {
    switch self {
    case .selfAttention: [.selfAttention, .jointAttention]
    case .crossAttention: [.crossAttention]
    case .mlp: [.mlp]
    case .parallel: [.parallel]
    }
  }
}
