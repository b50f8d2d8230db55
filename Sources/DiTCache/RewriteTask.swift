import CacheContract
import CacheRewrite
import Foundation
import Legalization
import ModelStructure
import OnnxFile
import Rewrite
import ScheduleLanguage

/// A rewrite as the command line asks for it: names and paths in, a report out.
public struct RewriteTask: Sendable {
  let model: LoadedModel
  let result: RewriteJob.Result
  private let schedule: String

  /// Plans and rewrites in memory.
  public init(
    model: LoadedModel, schedule: String, state: String? = nil, target: String? = nil,
    steps: Int? = nil, adapter: String? = nil
  ) throws {
    if let steps, steps < 1 {
      throw UsageError("no-steps", at: "--steps \(steps)", "a run needs at least 1 step")
    }
    var job = RewriteJob()
    job.convention = try state.map { try OptionWord.parse($0, option: "--state") }
    job.target = try target.map { try OptionWord.parse($0, option: "--target") }
    job.steps = steps
    job.adapter = adapter
    self.model = model
    self.schedule = schedule
    result = try job.run(model, schedule: try ScheduleLibrary.schedule(schedule))
  }

  /// Every slot's state input with its site, its stream and the rule's name for it.
  var slotNames: [(input: String, site: Int, stream: Int, slot: String)] {
    let plan = result.cached.plan
    return plan.sites.enumerated().flatMap { number, site in
      plan.schedule.rules[site.rule].rule.reuse.slots.flatMap { slot in
        site.streams.indices.map { stream in
          let rule = plan.schedule.rules[site.rule].rule.name
          return (
            ContractNames.slot(
              slot.name, stream: stream, of: site.streams.count, site: site.name, rule: rule),
            number, stream, slot.name
          )
        }
      }
    }
  }

  /// True when some slot is stored in fewer bits than float32.
  var storesReducedPrecision: Bool {
    result.cached.plan.schedule.rules.contains { rule in
      rule.rule.reuse.slots.contains { $0.storage == .float16 || $0.storage == .bfloat16 }
    }
  }

  /// Blocks of the model.
  public var blockCount: Int { result.blockCount }

  /// What legalisation changed, one line a node.
  public var legalizationLines: [String] {
    result.legalization.flatMap { report in
      report.changes.map { "\(report.pass) at \($0.place): \($0.message)" }
    }
  }

  /// Writes the cached model; the file appears whole or not at all.
  public func write(to path: String, copyingWeights: Bool = false) throws {
    try FolderPath.requireOther(path, than: schedule)
    var options = OnnxWriteOptions()
    options.copiesWeights = copyingWeights
    try model.file.write(
      result.cached.graph, metadata: try result.metadata(), to: path, options: options)
  }

  /// Removes a cached model that did not pass its check; copied weights stay.
  public func withdraw(_ path: String) {
    try? FileManager.default.removeItem(atPath: path)
  }
}
