import Adapters
import CacheContract
import CacheRewrite
import Diffusion
import GraphIR
import Interpreter
import ModelStructure
import OnnxFile
import Quality
import ScheduleLanguage
import Tensors

/// Runs a model uncached and by several schedules on the same prompts and seeds, and compares.
public struct EvaluationTask: Sendable {
  private let job: SampleJob
  private let candidates: [Candidate]
  private let networks: QualityNetworks
  /// What turns results into pixels; nil when the model denoises pixels, or none are wanted.
  public var decoder: LatentDecoder?

  private struct Candidate: Sendable {
    let name: String
    let graph: Graph
    let manifest: Manifest
  }

  /// Caches a model in memory by each schedule; one that is cached already takes none.
  public init(
    _ model: LoadedModel, schedules: [String], adapter: String? = nil, steps: Int? = nil,
    inputsPath: String? = nil, networks: QualityNetworks, threads: Int, memory: Int? = nil,
    style: ComputeStyle = ComputeStyle()
  ) throws {
    let model = try model.fixingBatch(adapter: adapter)
    job = try SampleJob(
      model, adapter: adapter, threads: threads, memory: memory, style: style)
    self.networks = networks
    if let manifest = model.manifest {
      guard schedules.isEmpty else {
        throw UsageError(
          "already-cached", at: "--schedule",
          "the model is cached already, by schedule "
            + "'\(manifest.schedule)'", hint: "`ditcache unwrap` gives the original back")
      }
      candidates = [Candidate(name: manifest.schedule, graph: model.graph, manifest: manifest)]
      return
    }
    guard !schedules.isEmpty else {
      throw UsageError(
        "no-schedule", at: "--schedule", "there is nothing to compare the uncached model with",
        hint: "pass --schedule with files or names of the catalogue, once for each")
    }
    let steps = try steps ?? inputsPath.flatMap { try SampleInputs.stepCount(of: $0) }
    let usual = job.roles.steps
    candidates = try schedules.map { name in
      let schedule = try ScheduleLibrary.schedule(name)
      var rewrite = RewriteJob()
      rewrite.steps = steps ?? (schedule.steps == nil ? usual : nil)
      rewrite.adapter = adapter
      let cached = try rewrite.run(model, schedule: schedule).cached
      return Candidate(name: schedule.name, graph: cached.graph, manifest: cached.manifest)
    }
    let counts = Set(candidates.map(\.manifest.steps))
    guard counts.count == 1 else {
      throw UsageError(
        "other-step-counts", at: "--schedule",
        "the schedules are for \(counts.sorted().map(String.init).joined(separator: " and ")) steps",
        hint: "pass --steps N")
    }
  }

  /// Runs everything, the methods by turns, so that a busy hour meets all of them.
  ///
  /// Quality is that of each sample beside the uncached run from the same noise on the same engine;
  /// the wall time is that of the denoising loop.
  ///
  /// - Parameters:
  ///   - request: what to denoise
  ///   - videos: a folder for all results, as VBench reads them
  ///   - progress: called with a method, the steps done and all steps of a run
  /// - Returns: the figures, and what their report shows
  /// - Throws: what reading and running throw
  public func run(
    _ request: RunSet, videos: String? = nil,
    progress: (String, Int, Int) -> Void = { _, _, _ in }
  ) throws -> Evaluation {
    let model = job.model
    try model.file.requireWeights()
    let options = job.style.options(threads: job.threads, memory: job.memory)
    let scheduler = try job.scheduler(of: request.sample)
    let engines = try candidates.map { try Engine($0.graph, options: options) }
    let standIns = try candidates.map { try $0.manifest.unconditionalEngine(options) }
    let uncached = model.manifest == nil ? try Engine(model.graph, options: options) : engines[0]
    var baseline = MethodRuns("baseline")
    var methods = candidates.map { MethodRuns($0.name) }
    var exhibits: [Evaluation.Exhibit] = []
    var grids: [Evaluation.Grid] = []
    var last: (inputs: SampleInputs, run: Recording, content: GeneratedContent)?
    var vbench = try videos.map { try VBenchVideos(folder: $0) }
    let blocks = model.structure.blocks.map(\.name)
    for one in request.runs {
      var sample = request.sample
      (sample.prompt, sample.seed) = (one.prompt, one.seed ?? 0)
      let inputs = try job.inputs(sample, scheduleSteps: candidates[0].manifest.steps)
      let loop = DenoisingLoop(
        uncached, roles: job.roles, manifest: model.manifest, scheduler: scheduler)
      let reference = try loop.run(inputs, override: .compute) { progress("baseline", $0, $1) }
      let measurement = Measurement(networks: networks)
      baseline.note(reference, flops: model.flops, computed: 1, memory: uncached.memory)
      baseline.stateBytes = nil
      let uncachedResult = try GeneratedResult(reference, decoder: decoder)
      baseline.features += try measurement.features(of: uncachedResult)
      try vbench?.add(uncachedResult.shown, method: baseline.name, prompt: one.prompt)
      for (index, candidate) in candidates.enumerated() {
        var loop = DenoisingLoop(
          engines[index], roles: job.roles, manifest: candidate.manifest, scheduler: scheduler)
        loop.unconditional = standIns[index]
        let run = try loop.run(inputs) { progress(candidate.name, $0, $1) }
        methods[index].note(
          run, flops: model.flops,
          computed: run.computedShare(candidate.manifest, callFlops: model.flops),
          memory: engines[index].memory)
        let result = try GeneratedResult(run, decoder: decoder)
        methods[index].features += try measurement.features(of: result)
        try vbench?.add(result.shown, method: candidate.name, prompt: one.prompt)
        if last == nil {
          grids.append(.init(candidate.name, run, candidate.manifest, blocks: blocks))
        }
        if exhibits.count < Evaluation.exhibitCount * candidates.count {
          exhibits.append(
            .init(
              method: candidate.name, prompt: one.prompt, result: result.shown,
              reference: uncachedResult.shown, seed: one.seed))
        }
        methods[index].samples +=
          try measurement.samples(of: result, against: uncachedResult)
          .map { (one.prompt, one.seed, run.seconds, $0) }
      }
      last = (inputs, reference, GeneratedContent(shape: uncachedResult.shown.shape))
    }
    guard let last else {
      throw UsageError("nothing-to-run", at: "--prompts", "there is no prompt")
    }
    try vbench?.finish()
    let report = EvaluationReport(
      model: model.path, content: last.content.rawValue,
      setting: .init(
        scheduler: scheduler.rawValue, steps: last.inputs.levels.stepCount,
        branches: last.run.branches, guidance: last.inputs.guidanceScale, threads: job.threads,
        prompts: request.prompts, seeds: request.sample.inputsPath == nil ? request.seeds : []),
      methods: try [baseline.row(against: baseline)]
        + methods.map { try $0.row(against: baseline) },
      files: vbench?.files ?? [], warnings: vbench?.warnings ?? [])
    return Evaluation(report: report, exhibits: exhibits, grids: grids)
  }
}

extension GeneratedResult {
  fileprivate init(_ run: Recording, decoder: LatentDecoder?) throws {
    self.init(
      final: run.final, pixels: try decoder?.pixels(of: run.final), latents: run.latents,
      seconds: run.seconds)
  }
}

extension MethodRuns {
  /// Adds the costs of a run.
  fileprivate mutating func note(
    _ run: Recording, flops callFlops: Int?, computed share: Double, memory: MemoryStatistics
  ) {
    seconds.append(run.seconds)
    computed.append(share)
    flops = callFlops.map { Double($0) * Double(run.tookPlace.count) * share }
    peakBytes = memory.peakByteCount
    stateBytes = run.stateByteCount
  }
}
