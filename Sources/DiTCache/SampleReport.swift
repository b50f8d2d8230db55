import CacheContract
import Diffusion
import Quality

/// What `sample` did, as JSON of schema 1.
public struct SampleReport: Encodable, Sendable {
  /// The version of this layout.
  public let schema = 1
  /// The scheduler.
  public let scheduler: String
  /// Scheduler steps.
  public let steps: Int
  /// The calls of a step, in order.
  public let branches: [String]
  /// How many steps called each branch.
  public let branchCalls: [Int]
  /// The cache nodes with the fraction of calls that computed each.
  public let sites: [Site]
  /// The fraction of FLOPs that was skipped.
  public let flopsSaved: Double?
  /// Bytes of state of all branches.
  public let stateBytes: Int
  /// Bytes of state of each branch, in the order of `branches`.
  public let branchStateBytes: [Int]
  /// Wall time of the run.
  public let seconds: Double
  /// Wall time of the uncached run.
  public let baselineSeconds: Double?
  /// The run beside the uncached one.
  public let quality: Quality?
  /// The decoded pixels of both; nil without a decoder.
  public let decodedQuality: Quality?
  /// The models in the order in which they ran; nil when there is only one.
  public let experts: [Expert]?
  /// Why the cache may not do what was meant.
  public let warnings: [String]
  /// Files that were written.
  public let files: [String]

  /// One of two models that share the steps.
  public struct Expert: Encodable, Sendable {
    /// Its file.
    public let model: String
    /// The steps that it took.
    public let steps: [Int]
  }

  /// One cache node.
  public struct Site: Encodable, Sendable {
    /// The site id.
    public let name: String
    /// The rule it follows.
    public let rule: String
    /// The fraction of calls that computed it.
    public let computed: Double
    /// The steps that computed it, for each branch.
    public let computedSteps: [[Int]]
    /// Its metric over the calls that had one; nil if none had.
    public let metric: Metric?
    /// Calls whose metric was NaN or infinite.
    public let notFiniteCalls: Int
    /// Whether its rule decides during the run and computed in every call.
    public let neverFired: Bool
    /// Thresholds that would have fired, where the rule's own never did.
    public let wouldFire: [Firing]

    enum CodingKeys: String, CodingKey {
      case name, rule, computed, metric
      case computedSteps = "computed_steps"
      case notFiniteCalls = "not_finite_calls"
      case neverFired = "never_fired"
      case wouldFire = "would_fire"
    }

    init(_ site: Manifest.Site, computed: Double, _ diagnostics: SiteDiagnostics) {
      name = site.name
      rule = site.rule
      self.computed = computed
      computedSteps = diagnostics.computedSteps
      metric = diagnostics.metric.map {
        Metric(
          calls: $0.count, minimum: $0.minimum, p10: $0.p10, p50: $0.p50, p90: $0.p90,
          maximum: $0.maximum)
      }
      notFiniteCalls = diagnostics.notFiniteCalls
      neverFired = diagnostics.neverFired
      wouldFire = diagnostics.firings.map { Firing(steps: $0.steps, threshold: $0.threshold) }
    }
  }

  /// How the metric of a site was spread.
  public struct Metric: Encodable, Sendable {
    /// The calls that had one.
    public let calls: Int
    /// The least.
    public let minimum: Double
    /// Percentile 10.
    public let p10: Double
    /// The median.
    public let p50: Double
    /// Percentile 90.
    public let p90: Double
    /// The largest.
    public let maximum: Double
  }

  /// A threshold and the steps that it would have reused at most.
  public struct Firing: Encodable, Sendable {
    /// The steps.
    public let steps: Int
    /// The threshold.
    public let threshold: Double
  }

  /// A cached result beside the uncached one.
  public struct Quality: Encodable, Sendable {
    /// Peak signal-to-noise ratio; nil when identical.
    public let psnrDb: Double?
    /// mean |cached − uncached| / mean |uncached|.
    public let relativeL1: Double
    /// The range of the ratio.
    public let dataRange: Double
    /// True when no number differs.
    public let identical: Bool

    init(_ quality: GenerationQuality) {
      psnrDb = quality.psnr
      relativeL1 = quality.relativeL1
      dataRange = quality.dataRange
      identical = quality.isIdentical
    }

    enum CodingKeys: String, CodingKey {
      case psnrDb = "psnr_db"
      case relativeL1 = "relative_l1"
      case dataRange = "data_range"
      case identical
    }
  }

  enum CodingKeys: String, CodingKey {
    case schema, scheduler, steps, branches, sites, seconds, quality, experts, warnings, files
    case decodedQuality = "decoded_quality"
    case branchCalls = "branch_calls"
    case flopsSaved = "flops_saved"
    case stateBytes = "state_bytes"
    case branchStateBytes = "branch_state_bytes"
    case baselineSeconds = "baseline_seconds"
  }
}
