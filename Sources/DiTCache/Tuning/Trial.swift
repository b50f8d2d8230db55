import Adapters
import CacheContract
import CacheRewrite
import Diffusion
import GraphIR
import ModelStructure
import Quality
import ScheduleLanguage
import Tensors
import Tuning

/// A schedule with what it did on a set of runs.
struct Trial: Sendable {
  /// How it was found.
  let family: String
  /// The schedule, one that can be written as it is.
  let schedule: Schedule
  /// Its steps, if they are listed.
  var plan: RefreshPlan?
  /// Its threshold, if it has one.
  var threshold: Double?
  /// The part of the uncached run's FLOPs that was computed.
  let computed: Double
  /// PSNR of each sample; 100 dB for one that is identical.
  let psnr: [Double]
  /// Structural similarity of each sample; 1 for latents, which have none.
  let ssim: [Double]
  /// The mean squared error of each sample's final latents.
  let squaredErrors: [Double]
  /// Wall time of each denoising loop.
  let seconds: [Double]
  /// What a rule compared with its threshold, where that decided.
  let metrics: [Double]
  /// What the first run computed, site by site and step by step.
  let grid: [(label: String, values: [Double])]

  static func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(max(values.count, 1))
  }
}

/// Prompts and seeds with their uncached runs, and schedules tried on them.
struct TrialBench {
  let job: SampleJob
  let adapter: String?
  let request: RunSet
  let scheduler: SchedulerName
  /// The steps of a run.
  let steps: Int
  private(set) var samples: [Sample] = []
  private let uncached: DenoisingLoop

  /// One uncached run.
  struct Sample {
    let run: RunSet.Run
    let inputs: SampleInputs
    let final: Tensor
    let seconds: Double
    let branches: [String]
  }

  /// A schedule that is ready to run.
  struct Candidate {
    let schedule: Schedule
    let manifest: Manifest
    fileprivate var loop: DenoisingLoop
  }

  /// A bench without samples yet.
  init(_ job: SampleJob, adapter: String?, request: RunSet) throws {
    self.job = job
    self.adapter = adapter
    self.request = request
    scheduler = try job.scheduler(of: request.sample)
    uncached = try job.loop(job.model.graph, manifest: nil, lowNoise: nil, scheduler: scheduler)
    let first = request.runs.first
    var sample = request.sample
    (sample.prompt, sample.seed) = (first?.prompt, first?.seed ?? 0)
    steps = try job.inputs(sample).levels.stepCount
  }

  /// Runs one prompt and seed uncached.
  mutating func add(
    _ run: RunSet.Run, progress: (Int, Int) -> Void
  ) throws -> (recording: Recording, inputs: SampleInputs) {
    var sample = request.sample
    (sample.prompt, sample.seed) = (run.prompt, run.seed ?? 0)
    let inputs = try job.inputs(sample)
    let recording = try uncached.run(inputs, progress: progress)
    samples.append(
      Sample(
        run: run, inputs: inputs, final: recording.final, seconds: recording.seconds,
        branches: recording.branches))
    return (recording, inputs)
  }

  /// Caches the model by a schedule.
  func candidate(_ schedule: Schedule) throws -> Candidate {
    var rewrite = RewriteJob()
    rewrite.steps = steps
    rewrite.adapter = adapter
    let cached = try rewrite.run(job.model, schedule: schedule).cached
    return Candidate(
      schedule: schedule, manifest: cached.manifest,
      loop: try job.loop(
        cached.graph, manifest: cached.manifest, lowNoise: nil, scheduler: scheduler))
  }

  /// Runs a candidate on samples and compares.
  ///
  /// - Parameters:
  ///   - candidate: what runs
  ///   - family: how it was found
  ///   - parameters: numbers other than the schedule's
  ///   - range: the samples; all when nil
  ///   - progress: called with the steps done and all steps of a run
  /// - Returns: the trial and the final latents of each sample
  /// - Throws: what running throws
  func run(
    _ candidate: Candidate, family: String, parameters: [String: Double] = [:],
    on range: Range<Int>? = nil, progress: (Int, Int) -> Void
  ) throws -> (trial: Trial, finals: [Tensor]) {
    var loop = candidate.loop
    loop.parameters = parameters
    var psnr: [Double] = [], ssim: [Double] = [], errors: [Double] = [], seconds: [Double] = []
    var computed: [Double] = [], metrics: [Double] = [], finals: [Tensor] = []
    var grid: [(label: String, values: [Double])] = []
    for sample in samples[range ?? samples.indices] {
      let recording = try loop.run(sample.inputs, progress: progress)
      let quality = try GenerationQuality(
        of: recording.final, against: sample.final,
        content: GeneratedContent(shape: recording.final.shape))
      psnr.append(min(quality.psnr ?? Self.identical, Self.identical))
      ssim.append(quality.structuralSimilarity ?? 1)
      errors.append(Self.squaredError(recording.final, sample.final))
      seconds.append(recording.seconds)
      computed.append(recording.computedShare(candidate.manifest, callFlops: job.model.flops))
      metrics += recording.comparedMetrics(candidate.manifest)
      if grid.isEmpty {
        grid =
          ComputedGrid(
            recording, candidate.manifest, blocks: job.model.structure.blocks.map(\.name)
          ).rows
      }
      finals.append(recording.final)
    }
    let trial = Trial(
      family: family, schedule: candidate.schedule, computed: Trial.mean(computed), psnr: psnr,
      ssim: ssim, squaredErrors: errors, seconds: seconds, metrics: metrics, grid: grid)
    return (trial, finals)
  }

  /// What counts for the PSNR of an identical result, in dB.
  static let identical = 100.0

  private static func squaredError(_ one: Tensor, _ other: Tensor) -> Double {
    let (a, b) = (one.elements(as: Float.self), other.elements(as: Float.self))
    let sum = zip(a, b).reduce(0.0) { sum, pair in
      let difference = Double(pair.0) - Double(pair.1)
      return sum + difference * difference
    }
    return sum / Double(max(a.count, 1))
  }
}

extension Recording {
  /// The metrics of calls that a comparison decided: not those of forced steps, nor of the first
  /// call of a branch.
  func comparedMetrics(_ manifest: Manifest) -> [Double] {
    guard let metric, !branches.isEmpty else { return [] }
    let numbers = metric.elements(as: Float.self)
    let rules = Dictionary(manifest.rules.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    var result: [Double] = []
    for (site, own) in manifest.sites.enumerated() {
      guard let comparison = rules[own.rule]?.metric else { continue }
      let forced = Set(comparison.forcedSteps)
      for call in tookPlace.indices where tookPlace[call] {
        let step = call / branches.count
        guard step > 0, !forced.contains(step) else { continue }
        result.append(Double(numbers[call * manifest.sites.count + site]))
      }
    }
    return result
  }
}
