import CacheRewrite
import ScheduleLanguage
import Tensors

/// Schedules as text, for the command line.
public enum ScheduleTexts {
  /// What a checked file holds, and its warnings as diagnostics are printed.
  public static func check(_ pathOrName: String) throws -> (summary: String, warnings: [String]) {
    let document = try ScheduleLibrary.document(pathOrName)
    let counts = "\(document.schedules.count) schedules, \(document.adapters.count) adapters"
    return (document.summary ?? counts, document.diagnostics.map(\.text))
  }

  /// A file in canonical form.
  public static func formatted(_ pathOrName: String) throws -> String {
    try ScheduleLibrary.document(pathOrName).formatted ?? ""
  }

  /// Replaces a file's text, whole or not at all.
  public static func replace(_ path: String, with text: String) throws {
    var file = try DurableFile(replacing: path)
    try file.write(Array(text.utf8))
    try file.commit()
  }

  /// What an explanation is made of, beside the schedule.
  public struct Subject: Sendable {
    /// The steps of the run; nil takes the schedule's.
    public var steps: Int?
    /// Blocks of a model with one family.
    public var blockCount: Int?
    /// A model, original or cached by this schedule.
    public var modelPath: String?
    /// A preset of the schedule.
    public var preset: String?
    /// A file of noise levels.
    public var levelsPath: String?
    /// A run that `sample --record` wrote.
    public var recordPath: String?

    /// Nothing beside the schedule.
    public init() {}
  }

  /// The step × block grid of a schedule on a model, on a number of blocks, or on steps alone; with a
  /// recorded run, what it decided and why.
  public static func explanation(_ pathOrName: String, of subject: Subject) throws -> String {
    let schedule = try ScheduleLibrary.schedule(pathOrName, preset: subject.preset)
    let noise = try subject.levelsPath.map { try NoiseTable(levelsOf: $0) }
    let steps = subject.steps
    if let modelPath = subject.modelPath {
      var job = RewriteJob()
      job.steps = steps
      job.noise = noise
      let cached = try job.run(try LoadedModel(modelPath), schedule: schedule).cached
      let decisions = try subject.recordPath.map {
        try RecordedDecisions(of: $0, manifest: cached.manifest).text
      }
      return cached.plan.schedule.explanation + (decisions ?? "")
    }
    guard subject.recordPath == nil else {
      throw UsageError(
        "record-without-model", at: "--record", "the sites of a run are those of its model",
        hint: "pass --model as well")
    }
    if let blockCount = subject.blockCount {
      guard (1...Limits.blockIndex + 1).contains(blockCount) else {
        throw UsageError(
          "bad-blocks", at: "--blocks \(blockCount)",
          "a model has 1 to \(Limits.blockIndex + 1) blocks")
      }
      return try schedule.resolve(
        in: BlockLayout(blockCount: blockCount), steps: steps, noise: noise
      ).explanation
    }
    return try schedule.explanation(steps: steps, noise: noise)
  }
}
