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

  /// The step × block grid of a schedule on a model, on a number of blocks, or on steps alone.
  public static func explanation(
    _ pathOrName: String, steps: Int?, blockCount: Int?, modelPath: String?
  ) throws -> String {
    let schedule = try ScheduleLibrary.schedule(pathOrName)
    if let modelPath {
      var job = RewriteJob()
      job.steps = steps
      let model = try LoadedModel(modelPath)
      return try job.run(model, schedule: schedule).cached.plan.schedule.explanation
    }
    if let blockCount {
      guard (1...Limits.blockIndex + 1).contains(blockCount) else {
        throw UsageError(
          "bad-blocks", at: "--blocks \(blockCount)",
          "a model has 1 to \(Limits.blockIndex + 1) blocks")
      }
      return try schedule.resolve(in: BlockLayout(blockCount: blockCount), steps: steps).explanation
    }
    return try schedule.explanation(steps: steps)
  }
}
