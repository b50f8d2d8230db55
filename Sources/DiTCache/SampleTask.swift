import CacheContract
import CacheRewrite
import Diffusion
import Foundation
import GraphIR
import OnnxFile
import Quality
import TensorFiles
import Tensors

/// A sampling run as the command line asks for it.
public struct SampleTask: Sendable {
  private let job: SampleJob
  private let graph: Graph
  private let manifest: Manifest?
  private let modelPath: String

  /// Reads the model's roles and, with a schedule, caches it in memory.
  public init(
    _ model: LoadedModel, schedule: String?, adapter: String? = nil,
    steps: Int? = nil, inputsPath: String? = nil, threads: Int, memory: Int? = nil
  ) throws {
    modelPath = model.file.path
    job = try SampleJob(model, adapter: adapter, threads: threads, memory: memory)
    guard let schedule else {
      graph = model.graph
      manifest = model.manifest
      return
    }
    var rewrite = RewriteJob()
    rewrite.steps = try steps ?? inputsPath.flatMap { try SampleInputs.stepCount(of: $0) }
    rewrite.adapter = adapter
    let cached = try rewrite.run(model, schedule: try ScheduleLibrary.schedule(schedule)).cached
    graph = cached.graph
    manifest = cached.manifest
  }

  /// Samples and writes what was asked for.
  ///
  /// - Parameters:
  ///   - request: what to denoise
  ///   - comparing: whether a cached model is also run without its cache
  ///   - recordPath: an archive for everything computed
  ///   - folder: a folder for a contact sheet and the final latents
  ///   - progress: called with a title, the steps done and all steps
  /// - Returns: the report
  /// - Throws: what reading, running and writing throw
  public func run(
    _ request: SampleJob.Request, comparing: Bool = true, recordPath: String? = nil,
    folder: String? = nil, progress: (String, Int, Int) -> Void = { _, _, _ in }
  ) throws -> SampleReport {
    if let folder { try FolderPath.make(folder) }
    if let recordPath {
      try FolderPath.requireParent(of: recordPath)
      try FolderPath.requireOther(recordPath, than: modelPath, request.inputsPath)
    }
    let scheduler = try job.scheduler(of: request)
    let inputs = try job.inputs(request, scheduleSteps: manifest?.steps)
    let result = try job.run(
      graph, manifest: manifest, inputs, scheduler: scheduler,
      comparing: comparing, progress: progress)
    var files: [String] = []
    if let recordPath {
      try NPZFile.write(result.run.arrays.map { ($0.key, $0.tensor) }, to: recordPath)
      files.append(recordPath)
    }
    if let folder { files += try write(result, to: folder) }
    return SampleReport(
      scheduler: scheduler.rawValue, steps: inputs.levels.stepCount,
      branches: result.run.branches,
      sites: zip(result.sites, result.diagnostics).map {
        .init($0.site, computed: $0.computed, $1)
      },
      flopsSaved: result.flopsSaved, stateBytes: result.run.stateByteCount,
      branchStateBytes: result.run.branchStateByteCounts,
      seconds: result.run.seconds, baselineSeconds: result.baseline?.seconds,
      quality: result.quality.map {
        .init(
          psnrDb: $0.psnr, relativeL1: $0.relativeL1, dataRange: $0.dataRange,
          identical: $0.isIdentical)
      }, warnings: result.warnings, files: files)
  }

  /// Images (B, C, H, W) as videos of one frame, (B, C, 1, H, W).
  private func asVideo(_ images: Tensor) -> Tensor {
    var dimensions = images.shape.dimensions
    guard dimensions.count == 4 else { return images }
    dimensions.insert(1, at: 2)
    guard let shape = try? Shape(dimensions) else { return images }
    return images.contiguous().view(shape: shape, strides: shape.rowMajorStrides)
  }

  private func write(_ result: SampleJob.Result, to folder: String) throws -> [String] {
    let title = manifest == nil ? "uncached" : "cached"
    var rows: [(label: String, video: Tensor)] = []
    var arrays: [(name: String, tensor: Tensor)] = [("final", result.run.final)]
    if let baseline = result.baseline {
      rows.append(("uncached", baseline.final))
      arrays.append(("baseline", baseline.final))
    }
    rows.append((title, result.run.final))
    let latents = "\(folder)/final.npz"
    try NPZFile.write(arrays, to: latents)
    rows = rows.map { (label: $0.label, video: asVideo($0.video)) }
    guard rows.allSatisfy({ $0.video.rank == 5 }) else { return [latents] }
    let picture = "\(folder)/contact-sheet.png"
    try ContactSheet.render(rows: rows).writePNG(to: picture)
    guard rows.allSatisfy({ $0.video.shape[2] > 1 }) else { return [latents, picture] }
    let film = "\(folder)/film.webp"
    try Film.render(columns: rows).writeWebP(to: film)
    return [latents, picture, film]
  }
}

extension SampleInputs {
  /// The steps of a file of inputs, if it has noise levels.
  static func stepCount(of path: String) throws -> Int? {
    let file = try NPZFile(readingFrom: path)
    guard let sigmas = file.entries.first(where: { $0.name == "sigmas" }) else { return nil }
    return sigmas.shape.elementCount - 1
  }
}
