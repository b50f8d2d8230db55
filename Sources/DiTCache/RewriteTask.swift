import CacheContract
import CacheRewrite
import Foundation
import GraphIR
import Legalization
import ModelStructure
import OnnxFile
import Rewrite
import ScheduleLanguage
import Tensors

/// A rewrite as the command line asks for it: names and paths in, a report out.
public struct RewriteTask: Sendable {
  package let model: LoadedModel
  package let result: RewriteJob.Result
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
    guard job.target != .openvino || job.convention != .optional else {
      throw UsageError(
        "state-for-target", at: "--state optional",
        "OpenVINO turns inputs with defaults into constants, so the cache would never reuse",
        hint: "leave --state out, or pass --state required")
    }
    job.steps = steps
    job.adapter = adapter
    self.model = model
    self.schedule = schedule
    result = try job.run(model, schedule: try ScheduleLibrary.schedule(schedule))
  }

  /// A task whose rewrite was made elsewhere.
  package init(model: LoadedModel, result: RewriteJob.Result, schedule: String) {
    self.model = model
    self.result = result
    self.schedule = schedule
  }

  /// Every tensor slot's state input, and which slot it is.
  var slotNames: [(input: String, key: StagedReuse.Key)] {
    let plan = result.cached.plan
    var names: [(input: String, key: StagedReuse.Key)] = []
    for (number, rule) in plan.schedule.rules.enumerated() {
      let slots = rule.rule.reuse.slots
      for slot in slots where !slot.isScalar && !slot.isLocal(among: slots) {
        let name = ContractNames.slot(
          slot.name, stream: 0, of: 1, site: ContractNames.shared, rule: rule.rule.name)
        names.append(
          (name, StagedReuse.Key(rule: number, site: nil, stream: nil, slot: slot.name)))
      }
      for (place, site) in plan.sites.enumerated() where site.rule == number {
        for slot in slots where slot.isLocal(among: slots) {
          for stream in site.streams.indices {
            let name = ContractNames.slot(
              slot.name, stream: stream, of: site.streams.count, site: site.name,
              rule: rule.rule.name)
            names.append(
              (name, StagedReuse.Key(rule: number, site: place, stream: stream, slot: slot.name)))
          }
        }
      }
    }
    return names
  }

  /// How far numbers may lie apart that pass through the types of slots and streams: 1e-5, more
  /// where those are half precision.
  var reuseTolerance: Double {
    let plan = result.cached.plan
    let stored = plan.schedule.rules.flatMap { $0.rule.reuse.slots.compactMap(\.storage) }
    let streams = plan.sites.flatMap(\.streams).flatMap { [$0.input, $0.output] }
      .compactMap { result.uncached.tensorType(of: $0)?.dataType }
    if stored.contains(.bfloat16) || streams.contains(.bfloat16) { return 5e-2 }
    if stored.contains(.float16) || streams.contains(.float16) { return 1e-2 }
    return 1e-5
  }

  /// Blocks of the model.
  public var blockCount: Int { result.blockCount }

  /// Writes the cached model under a temporary name, to be checked and committed.
  ///
  /// The file appears at `path` whole or not at all, and what is there now stays until then.
  public func stage(to path: String, copyingWeights: Bool = false) throws -> StagedRewrite {
    try FolderPath.requireOther(path, than: schedule)
    var options = OnnxWriteOptions()
    options.copiesWeights = copyingWeights
    return StagedRewrite(
      task: self,
      file: try model.file.stage(
        result.cached.graph, metadata: try result.metadata(), to: path, options: options))
  }
}

/// A cached model that is written but has no name yet.
public struct StagedRewrite {
  private let task: RewriteTask
  private let file: StagedModel

  init(task: RewriteTask, file: StagedModel) {
    self.task = task
    self.file = file
  }

  /// Runs original and cached model and compares them.
  public func check(inputsPath: String?, threads: Int) throws -> RewriteCheck {
    try RewriteCheck(
      of: task, writtenTo: try file.giveTemporaryName(), inputsPath: inputsPath, threads: threads)
  }

  /// Gives the file its name.
  public func commit() throws { try file.commit() }
}
