public import CacheContract
public import CachePolicies
package import CacheRewrite
import Foundation
import GraphIR
import Interpreter
import Legalization
import ModelStructure
import OnnxFile
import Rewrite
public import ScheduleLanguage
import Tensors

/// A rewrite as the command line asks for it: names and paths in, a report out.
public struct RewriteTask: Sendable {
  package let model: LoadedModel
  package let result: RewriteJob.Result
  private let schedule: String
  private let target: RuntimeTarget?
  /// How cache nodes are written.
  public let form: Form.Kind
  /// The graphs of a form of several files.
  private let files: FormGraphs?
  /// What a server needs besides the model.
  private let configuration: TritonConfiguration?

  /// Plans and rewrites in memory.
  public init(
    model: LoadedModel, schedule: String, form: String? = nil, state: String? = nil,
    target: String? = nil, steps: Int? = nil, adapter: String? = nil, serve: String? = nil,
    preset: String? = nil, levels: String? = nil, vocabulary: Vocabulary = .standard
  ) throws {
    if let steps, steps < 1 {
      throw UsageError("no-steps", at: "--steps \(steps)", "a run needs at least 1 step")
    }
    var job = RewriteJob()
    job.convention = try state.map { try OptionWord.parse($0, option: "--state") }
    job.target = try target.map { try OptionWord.parse($0, option: "--target") }
    job.form = try form.map { try OptionWord.parse($0, option: "--form") } ?? .if
    let server: ServingEngine? = try serve.map { try OptionWord.parse($0, option: "--serve") }
    try server?.adjust(&job)
    guard job.target != .openvino || job.convention != .optional else {
      throw UsageError(
        "state-for-target", at: "--state optional",
        "OpenVINO turns inputs with defaults into constants, so the cache would never reuse",
        hint: "leave --state out, or pass --state required")
    }
    job.steps = steps
    job.adapter = adapter
    job.noise = try levels.map { try NoiseTable(levelsOf: $0) }
    self.model = model
    self.schedule = schedule
    self.target = job.target
    self.form = job.form
    result = try job.run(
      model,
      schedule: try ScheduleLibrary.schedule(schedule, preset: preset, with: vocabulary))
    files =
      job.form == .static || job.form == .split
      ? try result.cached.files(
        job.form, original: URL(filePath: model.file.path).lastPathComponent,
        schedule: String(decoding: result.schedule.source.bytes, as: UTF8.self)) : nil
    configuration =
      server == nil
      ? nil
      : try TritonConfiguration(
        result.cached.graph, result.cached.manifest,
        name: URL(filePath: model.file.path).deletingPathExtension().lastPathComponent,
        fileName: TritonRepository.fileName)
  }

  /// The names of the files, where there are several.
  public var fileNames: [String] {
    if let name = configuration?.name {
      return [TritonRepository.configurationName, TritonRepository.filePath].map { "\(name)/\($0)" }
    }
    return files?.graphs.map(\.fileName) ?? []
  }

  /// What the target's runtime will do with the form, where that is not what one may hope for.
  public var runtimeWarnings: [DefectReport] {
    let facts = RuntimeNotes.Facts(
      form: form, convention: result.convention,
      hasFreeDimensions: model.graph.inputs.contains {
        model.graph.tensorType(of: $0)?.concreteShape == nil
      }, isAdaptive: result.cached.plan.schedule.rules.contains { $0.table.isAdaptive })
    return target.map { RuntimeNotes.warnings(for: $0, facts) } ?? []
  }

  /// A task whose rewrite was made elsewhere.
  package init(
    model: LoadedModel, result: RewriteJob.Result, schedule: String, files: FormGraphs? = nil
  ) {
    self.model = model
    self.result = result
    self.schedule = schedule
    target = nil
    form = files?.manifest.form?.kind ?? .if
    self.files = files
    configuration = nil
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

  /// Whether a slot holds what a site made or added, which takes one operator, or none, to compute.
  func isPlainDifference(_ key: StagedReuse.Key) -> Bool {
    let slots = result.cached.plan.schedule.rules[key.rule].rule.reuse.slots
    let update = slots.first { $0.name == key.slot }?.computed
    return update == .site(.output) || update == .site(.output) - .site(.input)
  }

  /// How far a slot may lie from what it is recomputed as: a tenth of a reuse's tolerance; where it
  /// sums over an attention map, in tiles here and all at once there, that much of its largest number.
  func slotTolerance(_ key: StagedReuse.Key, holding tensor: Tensor) -> Double {
    let slots = result.cached.plan.schedule.rules[key.rule].rule.reuse.slots
    let update = slots.first { $0.name == key.slot }?.computed
    guard let update, !update.attentionValues.isEmpty,
      let numbers = try? tensor.asFloat32().elements(as: Float.self)
    else { return reuseTolerance / 10 }
    return reuseTolerance / 10 * Double(max(1, numbers.map(abs).max() ?? 1))
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
  /// The file appears at `path` whole or not at all, and what is there now stays until then. For a
  /// server `path` is its repository of models.
  public func stage(to path: String, copyingWeights: Bool = false) throws -> StagedRewrite {
    try FolderPath.requireOther(path, than: schedule)
    if let files {
      return StagedRewrite(
        task: self,
        output: .folder(files, path: path, copying: copyingWeights))
    }
    var options = OnnxWriteOptions()
    options.copiesWeights = copyingWeights
    var graph = result.cached.graph
    if form == .function { (graph, options.functions) = try result.cached.withFunctions() }
    let repository = try configuration.map { try TritonRepository(at: path, $0) }
    return StagedRewrite(
      task: self,
      output: .file(
        try model.file.stage(
          graph, metadata: try result.metadata(), to: repository?.modelPath ?? path,
          options: options), repository))
  }
}

/// A cached model that is written but has no name yet.
public struct StagedRewrite {
  private let task: RewriteTask
  private let output: Output

  enum Output {
    /// A file, and the folder of a server that it belongs to.
    case file(StagedModel, TritonRepository?)
    /// Several files are written when they are committed.
    case folder(FormGraphs, path: String, copying: Bool)
  }

  init(task: RewriteTask, output: Output) {
    self.task = task
    self.output = output
  }

  /// Runs original and cached model and compares them.
  ///
  /// What is read again is the file before it has its name, or a copy of the folder.
  public func check(
    inputsPath: String?, threads: Int, style: ComputeStyle = ComputeStyle()
  ) throws -> RewriteCheck {
    func check(_ path: String) throws -> RewriteCheck {
      try RewriteCheck(
        of: task, writtenTo: path, inputsPath: inputsPath, threads: threads, style: style)
    }
    switch output {
    case .file(let file, _): return try check(try file.giveTemporaryName())
    case .folder(let files, let path, _):
      return try FormFolder.withCopy(files, of: task.model.file, beside: path, check)
    }
  }

  /// Gives the file its name.
  public func commit() throws {
    switch output {
    case .file(let file, let repository):
      try file.commit()
      try repository?.commit()
    case .folder(let files, let path, let copying):
      try FormFolder.write(files, of: task.model.file, to: path, copying: copying)
    }
  }
}
