public import GraphIR
public import ModelStructure
public import ScheduleLanguage

/// A schedule brought together with a model: which nodes each cache node will own.
public struct CachePlan: Sendable {
  /// One cache node to be.
  public struct Site: Sendable {
    /// The rule, as an index into `schedule.rules`.
    public let rule: Int
    /// The blocks it owns and the streams that pass through.
    public let run: Run
    /// The site id.
    public var name: String { run.site }
    /// How many blocks it owns.
    public var blockCount: Int { run.last - run.first + 1 }
  }

  /// The schedule with its tables.
  public let schedule: ResolvedSchedule

  /// The sites in execution order.
  public let sites: [Site]

  /// Resolves a schedule against the structure of a graph.
  ///
  /// - Parameters:
  ///   - schedule: a checked schedule
  ///   - structure: the blocks of `graph`
  ///   - graph: the graph to be rewritten
  ///   - aliases: the adapter's names for block families
  ///   - steps: the host's number of steps, or nil for the schedule's own
  /// - Throws: `CacheRewriteError`, `StructureError` or `ScheduleError`
  public init(
    _ schedule: Schedule, on structure: ModelStructure, of graph: Graph,
    aliases: [String: String] = [:], steps: Int? = nil
  ) throws {
    guard !structure.blocks.isEmpty else {
      throw CacheRewriteError(
        "no-blocks", at: "graph '\(graph.name)'", "no transformer blocks were found",
        hint: "`ditcache inspect` says what was found and why not")
    }
    let layout = BlockLayout(families: structure.blocks.map(\.family), aliases: aliases)
    let resolved = try schedule.resolve(in: layout, steps: steps)
    let uses = UseIndex(graph)
    var sites: [(start: Int, site: Site)] = []
    for (rule, facts) in resolved.rules.enumerated() {
      for range in structure.runs(of: facts.positions, in: graph) {
        let run = try structure.cut(range, in: graph, uses: uses)
        sites.append((range.lowerBound, Site(rule: rule, run: run)))
      }
    }
    self.schedule = resolved
    self.sites = sites.sorted { $0.start < $1.start }.map(\.site)
  }
}
