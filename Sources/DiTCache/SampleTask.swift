import Adapters
import CacheContract
public import CachePolicies
import CacheRewrite
import Diffusion
import Foundation
import GraphIR
import ModelStructure
import OnnxFile
import Quality
public import ScheduleLanguage
import TensorFiles
import Tensors

/// A sampling run as the command line asks for it.
public struct SampleTask: Sendable {
  private var job: SampleJob
  private let graph: Graph
  private let manifest: Manifest?
  private let modelPath: String
  private let lowNoise: SampleJob.LowNoise?
  /// What turns the result into pixels; nil when the model denoises pixels, or none are wanted.
  public var decoder: LatentDecoder?

  /// Reads the model's roles and, with a schedule, caches it in memory, and the model for low noise
  /// too.
  public init(
    _ model: LoadedModel, lowNoise: SampleJob.LowNoise? = nil, schedule: String?,
    preset: String? = nil, adapter: String? = nil, steps: Int? = nil, inputsPath: String? = nil,
    threads: Int, memory: Int? = nil, style: ComputeStyle = ComputeStyle(),
    vocabulary: Vocabulary = .standard
  ) throws {
    modelPath = model.path
    job = try SampleJob(
      model, adapter: adapter, threads: threads, memory: memory, style: style)
    guard let schedule else {
      guard preset == nil else {
        throw UsageError(
          "preset-without-schedule", at: "--preset", "presets are a schedule's",
          hint: "pass --schedule as well")
      }
      graph = model.graph
      manifest = model.manifest
      self.lowNoise = lowNoise
      return
    }
    var rewrite = RewriteJob()
    let chosen = try ScheduleLibrary.schedule(schedule, preset: preset, with: vocabulary)
    rewrite.steps = try steps ?? inputsPath.flatMap { try SampleInputs.stepCount(of: $0) }
    if chosen.steps == nil { rewrite.steps = rewrite.steps ?? job.roles.steps }
    rewrite.adapter = adapter
    let cached = try rewrite.run(model, schedule: chosen).cached
    graph = cached.graph
    manifest = cached.manifest
    var low = lowNoise
    if let model = lowNoise?.model {
      let cached = try rewrite.run(model, schedule: chosen).cached
      low?.graph = cached.graph
      low?.manifest = cached.manifest
    }
    self.lowNoise = low
  }

  /// Encodes `--prompt-ids` with a model of its own.
  public mutating func setTextEncoder(_ encoder: TextEncoder) { job.textEncoder = encoder }

  /// Samples and writes what was asked for.
  ///
  /// - Parameters:
  ///   - request: what to denoise
  ///   - comparing: whether a cached model is also run without its cache
  ///   - recordPath: an archive for everything computed
  ///   - folder: a folder for pictures and the final latents
  ///   - pagePath: a file for the report as HTML
  ///   - progress: called with a title, the steps done and all steps
  /// - Returns: the report
  /// - Throws: what reading, running and writing throw
  public func run(
    _ request: SampleJob.Request, comparing: Bool = true, recordPath: String? = nil,
    folder: String? = nil, pagePath: String? = nil,
    progress: (String, Int, Int) -> Void = { _, _, _ in }
  ) throws -> SampleReport {
    if let folder { try FolderPath.make(folder) }
    for path in [recordPath, pagePath].compactMap({ $0 }) {
      try FolderPath.requireParent(of: path)
      try FolderPath.requireOther(
        path, than: modelPath, request.inputsPath, request.promptIDsPath,
        lowNoise?.model.path)
    }
    let scheduler = try job.scheduler(of: request)
    let inputs = try job.inputs(request, scheduleSteps: manifest?.steps)
    let result = try job.run(
      graph, manifest: manifest, lowNoise: lowNoise, inputs, scheduler: scheduler,
      comparing: comparing, progress: progress)
    var files: [String] = []
    if let recordPath {
      let arrays = inputs.arrays(job.roles) + result.run.arrays
      try NPZFile.write(arrays.map { ($0.key, $0.tensor) }, to: recordPath)
      files.append(recordPath)
    }
    let pictures = try SamplePictures(result, isCached: manifest != nil, decoder: decoder)
    var warnings = result.warnings
    if let folder {
      let written = try pictures.write(to: folder)
      files += written.files
      warnings += written.warnings
    }
    if let pagePath { files.append(pagePath) }
    let report = SampleReport(
      scheduler: scheduler.rawValue, steps: inputs.levels.stepCount,
      branches: result.run.branches, branchCalls: result.run.branchCalls,
      sites: zip(result.sites, result.diagnostics).map {
        .init($0.site, computed: $0.computed, $1)
      },
      flopsSaved: result.flopsSaved, stateBytes: result.run.stateByteCount,
      branchStateBytes: result.run.branchStateByteCounts,
      seconds: result.run.seconds, baselineSeconds: result.baseline?.seconds,
      quality: result.quality.map { .init($0) },
      decodedQuality: decoder == nil ? nil : try pictures.pixelQuality().map { .init($0) },
      experts: experts(result.run), warnings: warnings, files: files)
    if let pagePath {
      let name = URL(filePath: modelPath).lastPathComponent
      let subject = [name, manifest?.schedule].compactMap { $0 }
      try SamplePage(
        subject: subject.joined(separator: ", "), prompt: request.prompt, report: report,
        result: result,
        manifest: manifest, blocks: job.model.structure.blocks.map(\.name), pictures: pictures
      ).page().write(to: pagePath)
    }
    return report
  }

  private func experts(_ run: Recording) -> [SampleReport.Expert]? {
    guard let ran = run.experts, let lowNoise else { return nil }
    return [modelPath, lowNoise.model.path].enumerated().map { number, path in
      .init(
        model: URL(filePath: path).lastPathComponent,
        steps: ran.indices.filter { ran[$0] == number })
    }
  }
}
