public import GraphIR
public import ModelStructure
public import ScheduleLanguage
import Tensors

/// Which of a model's inputs are what, as far as rules read them.
public struct ModelInputs: Hashable, Sendable {
  /// The noisy latents.
  public var latents: Name?
  /// The timestep.
  public var timestep: Name?
  /// What a noise level of 1 is as a timestep.
  public var timestepMultiplier: Double

  /// The inputs that are known.
  public init(latents: Name? = nil, timestep: Name? = nil, timestepMultiplier: Double = 1000) {
    self.latents = latents
    self.timestep = timestep
    self.timestepMultiplier = timestepMultiplier
  }
}

/// A schedule brought together with a model: which nodes each cache node will own.
public struct CachePlan: Sendable {
  /// One cache node to be.
  public struct Site: Sendable {
    /// The rule, as an index into `schedule.rules`.
    public let rule: Int
    /// The site id.
    public let name: String
    /// What enters and what stands in for it, stream by stream.
    public let streams: [Stream]
    /// The nodes it owns, in execution order.
    public internal(set) var nodes: [NodeID]
    /// The positions of its blocks.
    public let blocks: ClosedRange<Int>
    /// How many blocks it owns, or has a part of.
    public var blockCount: Int { blocks.count }

    /// Where its first block stands among so many: 0 the first, 1 the last.
    func depth(of count: Int) -> Double {
      count > 1 ? Double(blocks.lowerBound) / Double(count - 1) : 0
    }
  }

  /// The schedule with its tables.
  public let schedule: ResolvedSchedule

  /// The sites in execution order.
  public let sites: [Site]

  /// The values that the rules' taps read.
  let taps: TapValues

  /// The sizes of the latents; nil where they are not known.
  public let latents: [Int]?

  /// Why runs end before blocks that the schedule asked for as well.
  public let notes: [StructureNote]

  /// Resolves a schedule against the structure of a graph.
  ///
  /// What a rule reads is computed outside of its sites, so that it is there to decide.
  ///
  /// - Parameters:
  ///   - schedule: a checked schedule
  ///   - structure: the blocks of `graph`
  ///   - graph: the graph to be rewritten
  ///   - aliases: the adapter's names for block families
  ///   - steps: the host's number of steps, or nil for the schedule's own
  ///   - inputs: the model's inputs that rules may read
  ///   - noise: the noise levels of the run, if they are known
  /// - Throws: `CacheRewriteError`, `StructureError` or `ScheduleError`
  public init(
    _ schedule: Schedule, on structure: ModelStructure, of graph: Graph,
    aliases: [String: String] = [:], steps: Int? = nil, inputs: ModelInputs = ModelInputs(),
    noise: NoiseTable? = nil
  ) throws {
    guard !structure.blocks.isEmpty else {
      throw CacheRewriteError(
        "no-blocks", at: "graph '\(graph.name)'", "no transformer blocks were found",
        hint: "`ditcache inspect` says what was found and why not")
    }
    let layout = BlockLayout(families: structure.blocks.map(\.family), aliases: aliases)
    latents = inputs.latents.flatMap { graph.value(named: $0) }
      .flatMap { graph.tensorType(of: $0)?.concreteShape?.dimensions }
    let resolved = try schedule.resolve(in: layout, steps: steps, noise: noise)
    let finder = SiteFinder(structure, graph: graph, inputs: inputs)
    var sites: [Site] = []
    for (rule, facts) in resolved.rules.enumerated() {
      sites += try finder.sites(of: facts, number: rule)
    }
    taps = try TapValues(
      resolved, layout: layout, structure: structure, graph: graph, inputs: inputs)
    let pinned = taps.values.subtracting(sites.flatMap { $0.streams.map(\.output) })
    let positions = graph.orderPositions()
    for index in sites.indices {
      let outside = graph.ancestors(of: pinned, among: sites[index].nodes)
      sites[index].nodes.removeAll { outside.contains($0) }
      guard !sites[index].nodes.isEmpty else {
        throw CacheRewriteError(
          "nothing-to-skip", at: sites[index].name,
          "the rule reads what only the whole site can tell",
          hint: "decide by something before the site")
      }
    }
    try Self.requireDisjoint(sites, resolved)
    notes = resolved.rules.flatMap { facts -> [StructureNote] in
      switch facts.rule.site {
      case .blocks, .stack:
        structure.borders(of: facts.positions, in: graph).compactMap(\.reason)
      case .modules, .output, .uncond: []
      }
    }
    self.schedule = resolved
    self.sites = sites.sorted { a, b in
      positions[Int(a.nodes[0].index)] < positions[Int(b.nodes[0].index)]
    }
  }

  /// The plan of a schedule's one rule for a site that is known.
  init(
    _ schedule: ResolvedSchedule, site: Site, timestep: ValueID
  ) {
    self.schedule = schedule
    sites = [site]
    latents = nil
    notes = []
    taps = TapValues(schedule, timestep: timestep)
  }

  /// The values that a tap reads: one, or two whose difference it is.
  ///
  /// - Parameters:
  ///   - tap: the tap
  ///   - stream: the stream of the site that asks
  /// - Returns: the values; none for a tap of no rule
  public func values(of tap: Tap, stream: Int = 0) -> [ValueID] {
    switch taps[tap, stream] {
    case .value(let value)?: [value]
    case .difference(let a, let b)?: [a, b]
    case .recomputed(_, let output)?: [output]
    case nil: []
    }
  }

  /// The timestep input, if a rule reads it.
  public var timestep: ValueID? { taps.timestep }

  /// What a tap reads for any stream of a site.
  public func values(inAnyStreamOf tap: Tap) -> [ValueID] { taps.values(of: tap) }

  private static func requireDisjoint(
    _ sites: [Site], _ schedule: ResolvedSchedule
  ) throws(CacheRewriteError) {
    var owner: [NodeID: Int] = [:]
    for (index, site) in sites.enumerated() {
      for node in site.nodes {
        guard let other = owner.updateValue(index, forKey: node) else { continue }
        throw CacheRewriteError(
          "overlapping-sites", at: site.name,
          "'\(sites[other].name)' of rule '\(schedule.rules[sites[other].rule].rule.name)' already "
            + "caches a part of it", category: .badSchedule)
      }
    }
  }
}
