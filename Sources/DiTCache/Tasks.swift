import CacheContract
import CacheRewrite
import Diffusion
import Foundation
import GraphIR
import Interpreter
import Legalization
import ModelStructure
import OnnxFile
import Quality
import Rewrite
import ScheduleLanguage
import TensorFiles
import Tensors

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
    job.convention = try state.map { try Words.parse($0, option: "--state") }
    job.target = try target.map { try Words.parse($0, option: "--target") }
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
        site.run.streams.indices.map { stream in
          let rule = plan.schedule.rules[site.rule].rule.name
          return (
            ContractNames.slot(
              slot.name, stream: stream, of: site.run.streams.count, site: site.name, rule: rule),
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
}

/// Words that options take.
enum Words {
  static func parse<Word: RawRepresentable & CaseIterable>(
    _ text: String, option: String
  ) throws -> Word where Word.RawValue == String {
    guard let word = Word(rawValue: text) else {
      let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
      throw UsageError(
        "unknown-word", at: "\(option) \(text)", "this is not one of \(known)")
    }
    return word
  }
}

/// Runs a model as the command line asks for it.
public struct RunTask: Sendable {
  private let threads: Int
  private let tracePath: String?

  /// A task for a number of threads; `tracePath` names a Chrome trace to write.
  public init(threads: Int, tracePath: String? = nil) {
    self.threads = threads
    self.tracePath = tracePath
  }

  /// Runs on the arrays of a file and writes the outputs.
  public func run(_ model: LoadedModel, input: String, output: String?) throws -> RunReport {
    if let output { try FolderPath.requireOther(output, than: input, model.file.path) }
    let sink = tracePath == nil ? nil : TraceSink()
    let job = RunJob(threads: threads, trace: sink)
    let clock = ContinuousClock()
    let start = clock.now
    let outputs = try job.run(model, try RunJob.arrays(of: input))
    let duration = (clock.now - start).components
    let ordered = model.graph.outputs.map { model.graph.name(of: $0) }
    if let output {
      try NPZFile.write(
        ordered.compactMap { name in outputs[name].map { (name.text, $0) } }, to: output)
    }
    if let tracePath, let sink { try ScheduleTexts.replace(tracePath, with: sink.chromeTrace()) }
    return RunReport(
      outputs: ordered.compactMap { name in
        outputs[name].map {
          InspectReport.PortReport(
            name: name.description, dtype: "\($0.dataType)",
            shape: $0.shape.dimensions.map(String.init))
        }
      }, seconds: Double(duration.seconds) + Double(duration.attoseconds) / 1e18,
      threads: threads)
  }

  /// Compares with golden data.
  public func compare(
    _ model: LoadedModel, golden: String, tolerance: Double
  ) throws -> GoldenReport {
    let comparisons = try RunJob(threads: threads).compare(model, golden: golden)
    let worst = comparisons.map(\.maximumDifference).max() ?? .infinity
    return GoldenReport(
      outputs: comparisons.map {
        .init(name: $0.name.description, maximumDifference: $0.maximumDifference.encodable)
      }, maximumDifference: worst.encodable, passed: worst <= tolerance)
  }
}

extension Double {
  /// The number, or the greatest finite one where JSON has none.
  fileprivate var encodable: Double { isFinite ? self : .greatestFiniteMagnitude }
}

/// Restores originals.
public enum Unwrapping {
  /// Writes the original of a cached model.
  public static func restore(_ cached: String, to output: String) throws -> UnwrapReport {
    let restored = try OnnxModel.read(cached).restoreOriginal(to: output)
    return UnwrapReport(outcome: restored.outcome.rawValue, digest: restored.file.digest)
  }
}

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
      return try schedule.resolve(in: BlockLayout(blockCount: blockCount), steps: steps).explanation
    }
    return try schedule.explanation(steps: steps)
  }
}
