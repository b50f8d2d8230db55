import ModelStructure
import Profiling
import Quality
import Tensors

/// What `profile` found, as JSON of schema 1.
public struct ProfileReport: Encodable, Sendable {
  /// The version of this layout.
  public let schema = 1
  /// The model.
  public let model: String
  /// Blocks in execution order.
  public let blocks: [Block]
  /// Blocks whose attention could not be observed, each with the reason.
  public let skipped: [Skipped]
  /// The score below which a block is background.
  public let threshold: Double
  /// Attention that counts as high, in units of the mean.
  public let attention: Double
  /// Tokens in time, from top to bottom, from left to right.
  public let tokens: [Int]
  /// The scheduler.
  public let scheduler: String
  /// Runs: each prompt with each seed, where the mask separates something.
  public let runs: [Run]
  /// Runs that are left out because their mask makes no token foreground, or all.
  public let unclear: [String]
  /// The score of each step and block, averaged over runs.
  public let scores: [[Double]]
  /// How much more attention the foreground receives than its share of the tokens, step by step.
  public let focus: [Double]
  /// Relative L1 of consecutive predictions, from step 1 on; of predicted noise, as velocities.
  public let changes: [Double]
  /// Steps that compute everything.
  public let warmup: Int
  /// The interval after the warm-up.
  public let longestInterval: Double
  /// The interval at the end.
  public let shortestInterval: Double
  /// The steps that refresh.
  public let refresh: [Int]
  /// How much of the list of background blocks single runs share.
  public let runAgreement: Double
  /// How much of it single steps share.
  public let stepAgreement: Double
  /// The background blocks as the schedule names them; nil when there are none.
  public let background: String?
  /// Files that were written.
  public var files: [String] = []

  /// One block.
  public struct Block: Encodable, Sendable {
    /// Its name.
    public let name: String
    /// Its position among all blocks.
    public let position: Int
    /// The part of the foreground's tokens that it looks at.
    public let score: Double
    /// The deviation of the score over steps.
    public let stepDeviation: Double
    /// The deviation of the score over runs.
    public let runDeviation: Double
    /// Whether its result may be kept.
    public let background: Bool

    enum CodingKeys: String, CodingKey {
      case name, position, score, background
      case stepDeviation = "step_deviation"
      case runDeviation = "run_deviation"
    }
  }

  /// One run.
  public struct Run: Encodable, Sendable {
    /// The prompt.
    public let prompt: String?
    /// The seed.
    public let seed: UInt64?
    /// The score of each block, averaged over the steps after the warm-up.
    public let scores: [Double]
  }

  /// A block without scores.
  public struct Skipped: Encodable, Sendable {
    /// The block.
    public let name: String
    /// Why.
    public let reason: String
  }

  enum CodingKeys: String, CodingKey {
    case schema, model, blocks, skipped, threshold, attention, tokens, scheduler, runs, scores
    case unclear, focus, changes, warmup, refresh, background, files
    case longestInterval = "longest_interval"
    case shortestInterval = "shortest_interval"
    case runAgreement = "run_agreement"
    case stepAgreement = "step_agreement"
  }

  init(
    _ profile: ModelProfile, model: String, probe: AttentionProbe, grid: TokenGrid,
    settings: ProfileTask.Settings, runs used: [RunSet.Run], unclear: [String],
    scheduler: String, schedule: ProposedSchedule
  ) {
    self.model = model
    blocks = profile.blocks.map {
      Block(
        name: $0.name, position: $0.position, score: $0.score, stepDeviation: $0.stepDeviation,
        runDeviation: $0.runDeviation, background: $0.isBackground)
    }
    skipped = probe.skipped.map { Skipped(name: $0.place, reason: $0.message) }
    threshold = profile.threshold
    attention = settings.attention
    tokens = [grid.frames, grid.rows, grid.columns]
    self.scheduler = scheduler
    let steps = profile.changes.count + 1
    let counted = min(profile.plan.warmup, steps - 1)..<steps
    self.unclear = unclear
    runs = zip(used, profile.scores).map { run, scores in
      Run(
        prompt: run.prompt, seed: run.seed,
        scores: profile.blocks.indices.map { block in
          counted.reduce(0) { $0 + scores[$1][block] } / Double(counted.count)
        })
    }
    let share = 1 / Double(profile.scores.count)
    scores = (0..<steps).map { step in
      profile.blocks.indices.map { block in
        profile.scores.reduce(0) { $0 + share * $1[step][block] }
      }
    }
    focus = profile.focus
    changes = profile.changes
    warmup = profile.plan.warmup
    longestInterval = profile.plan.longest
    shortestInterval = profile.plan.shortest
    refresh = profile.plan.refresh
    runAgreement = profile.runAgreement
    stepAgreement = profile.stepAgreement
    background = schedule.background
  }

  /// Writes `profiled.dcs`, `masks.png`, `profile.html` and `profile.json` into a folder that exists.
  mutating func write(
    to folder: String, schedule: ProposedSchedule, exhibits: [ProfileExhibit],
    attention: ProfileExhibit
  ) throws {
    try ScheduleTexts.replace("\(folder)/profiled.dcs", with: schedule.text)
    let picture = "\(folder)/masks.png"
    let rows = exhibits.flatMap { exhibit in
      exhibit.rows.enumerated().map { ($0 == 0 ? exhibit.caption : $1.label, $1.video) }
    }
    try ContactSheet.render(rows: rows).writePNG(to: picture)
    try page(schedule: schedule, exhibits: exhibits, attention: attention)
      .write(to: "\(folder)/profile.html")
    files += [
      "\(folder)/profiled.dcs", picture, "\(folder)/profile.html", "\(folder)/profile.json",
    ]
    try ScheduleTexts.replace("\(folder)/profile.json", with: try JSONText.of(self) + "\n")
  }
}
