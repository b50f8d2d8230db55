/// The names by which a host and a cached model talk to each other.
///
/// All of them start with `ditcache/`; a graph whose own values do is refused.
public enum ContractNames {
  /// What every name starts with.
  public static let prefix = "ditcache/"

  /// Scheduler step of this branch, counted from 0: int64 [1].
  public static let step = "ditcache/step"
  /// Number of scheduler steps: int64 [1].
  public static let steps = "ditcache/steps"
  /// Which branch calls, 0 conditional, 1 unconditional: int64 [1].
  public static let branch = "ditcache/branch"
  /// One number a site, 0 by the schedule, 1 compute, 2 reuse: int64 [sites].
  public static let override = "ditcache/override"
  /// Sigma of this step and the next: float32 [2].
  public static let sigmas = "ditcache/sigmas"

  /// Whether a branch has made a call, of a form of several files that is run as one: bool [1].
  ///
  /// No file has it; the flags of rules are left to the host there.
  public static let begun = "ditcache/begun"

  /// Report: which sites computed, bool [sites].
  public static let computed = "ditcache/computed"
  /// Report: each site's metric, float32 [sites].
  public static let metric = "ditcache/metric"

  /// A number that a host may change: float32 [1].
  public static func parameter(_ name: String) -> String { "\(prefix)parameter/\(name)" }

  /// The site of slots that a rule keeps once.
  public static let shared = "rule"

  /// The validity of a rule's slots: bool [1].
  public static func valid(rule: String) -> String { "\(prefix)\(rule)/valid" }

  /// A slot of a site; with several streams the stream's number follows its name.
  public static func slot(
    _ slot: String, stream: Int, of streamCount: Int, site: String, rule: String
  ) -> String {
    "\(prefix)\(rule)/\(site)/\(slot)" + (streamCount == 1 ? "" : "_\(stream)")
  }

  /// The output that carries a state input on to the next call.
  public static func output(of input: String) -> String { input + "/out" }

  /// Metadata: the manifest, JSON.
  public static let manifestKey = "ditcache/manifest"
  /// Metadata: the schedule's text.
  public static let scheduleKey = "ditcache/schedule"
}
