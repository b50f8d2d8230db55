import CacheContract
import CacheRewrite
import GraphIR
import ModelStructure

/// What `rewrite` did, as JSON of schema 1.
public struct RewriteReport: Encodable, Sendable {
  /// The version of this layout.
  public let schema = 1
  /// The schedule's name.
  public let schedule: String
  /// Scheduler steps.
  public let steps: Int
  /// How cache nodes are written.
  public let form: String
  /// The files of a form of several.
  public let files: [String]
  /// The cache nodes.
  public let sites: [Site]
  /// Bytes of all slots of one branch.
  public let stateBytes: Int?
  /// FLOPs of a step on which every site computes.
  public let flopsComputed: Int?
  /// FLOPs of a step on which every site reuses.
  public let flopsReused: Int?
  /// How much faster a whole run is if time follows FLOPs.
  public let predictedSpeedup: Double?
  /// Reused steps after which the cache's own arithmetic is paid back.
  public let breakEvenReuses: Int?
  /// Nodes gained or lost by operator.
  public let operatorChanges: [String: Int]
  /// Why sites end where they do.
  public let notes: [String]
  /// Repairs and changes for the target, with their costs.
  public let legalization: [LegalizationCost]
  /// What is wrong with the model and could not be repaired, and what the target's runtime does with
  /// the form, where that is not what one may hope for.
  public let warnings: [DefectReport]
  /// The claims that were checked; nil without --check.
  public let check: [Claim]?
  /// Wall time, the check's not counted.
  public let seconds: Double
  /// The process's peak memory (VmHWM).
  public let peakBytes: Int

  /// One cache node.
  public struct Site: Encodable, Sendable {
    /// The site id.
    public let name: String
    /// The rule it follows.
    public let rule: String
    /// How many blocks it owns.
    public let blocks: Int
    /// How many hidden states pass through.
    public let streams: Int
    /// Steps on which it computes; nil for a rule that decides during the run.
    public let computedSteps: Int?
    /// Whether its rule decides during the run.
    public let adaptive: Bool
    /// FLOPs that a reused step skips.
    public let flops: Int?

    enum CodingKeys: String, CodingKey {
      case name, rule, blocks, streams, adaptive, flops
      case computedSteps = "computed_steps"
    }
  }

  /// One claim of `--check`.
  public struct Claim: Encodable, Sendable {
    /// What was claimed.
    public let text: String
    /// Whether it held.
    public let holds: Bool
  }

  enum CodingKeys: String, CodingKey {
    case schema, schedule, steps, form, files, sites, notes, seconds, legalization, warnings, check
    case stateBytes = "state_bytes"
    case flopsComputed = "flops_computed"
    case flopsReused = "flops_reused"
    case predictedSpeedup = "predicted_speedup"
    case breakEvenReuses = "break_even_reuses"
    case operatorChanges = "operator_changes"
    case peakBytes = "peak_bytes"
  }

  /// The report of a rewrite that took some seconds, and of its check if there was one.
  public init(_ task: RewriteTask, seconds: Double, check: RewriteCheck? = nil) {
    let cached = task.result.cached
    let manifest = cached.manifest
    let tables = Dictionary(uniqueKeysWithValues: manifest.rules.map { ($0.name, $0.table) })
    schedule = manifest.schedule
    steps = manifest.steps
    form = task.form.rawValue
    files = task.fileNames
    sites = zip(manifest.sites, cached.plan.sites).map { site, planned in
      let table = tables[site.rule] ?? []
      return Site(
        name: site.name, rule: site.rule, blocks: site.blocks,
        streams: planned.streams.count,
        computedSteps: table.isEmpty ? nil : table.count { $0 }, adaptive: table.isEmpty,
        flops: site.flops)
    }
    stateBytes = cached.costs.stateBytes
    flopsComputed = cached.costs.flopsComputed
    flopsReused = cached.costs.flopsReused
    predictedSpeedup = cached.costs.flopsOriginal.flatMap { all in
      cached.costs.flopsScheduled.map { Double(all) * Double(manifest.steps) / Double(max(1, $0)) }
    }
    breakEvenReuses = cached.costs.breakEvenReuses
    operatorChanges = Dictionary(
      uniqueKeysWithValues: cached.costs.operatorChanges.map { ($0.key.description, $0.value) })
    notes = cached.plan.notes.map { "\($0.place): \($0.message)" }
    legalization = LegalizationCost.all(of: task.result.legalization)
    warnings =
      DefectReport.all(of: task.result.legalization).filter { !$0.repaired }
      + task.runtimeWarnings
    self.check = check?.claims.map { Claim(text: $0.text, holds: $0.holds) }
    self.seconds = seconds
    peakBytes = ProcessMemory.peakByteCount
  }
}
