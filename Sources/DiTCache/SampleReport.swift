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
  /// The cache nodes with the fraction of calls that computed each.
  public let sites: [Site]
  /// The fraction of FLOPs that was skipped.
  public let flopsSaved: Double?
  /// Bytes of state of all branches.
  public let stateBytes: Int
  /// Wall time of the run.
  public let seconds: Double
  /// Wall time of the uncached run.
  public let baselineSeconds: Double?
  /// The run beside the uncached one.
  public let quality: Quality?
  /// Why the cache may not do what was meant.
  public let warnings: [String]
  /// Files that were written.
  public let files: [String]

  /// One cache node.
  public struct Site: Encodable, Sendable {
    /// The site id.
    public let name: String
    /// The fraction of calls that computed it.
    public let computed: Double
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

    enum CodingKeys: String, CodingKey {
      case psnrDb = "psnr_db"
      case relativeL1 = "relative_l1"
      case dataRange = "data_range"
      case identical
    }
  }

  enum CodingKeys: String, CodingKey {
    case schema, scheduler, steps, branches, sites, seconds, quality, warnings, files
    case flopsSaved = "flops_saved"
    case stateBytes = "state_bytes"
    case baselineSeconds = "baseline_seconds"
  }
}
