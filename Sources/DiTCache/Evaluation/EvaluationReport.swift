import Quality

/// What `evaluate` found, as JSON of schema 1.
public struct EvaluationReport: Encodable, Sendable {
  /// The version of this layout.
  public let schema = 1
  /// The model; nil when finished results were compared.
  public let model: String?
  /// `pixels` or `latents`: what the figures are of.
  public let content: String
  /// How runs were made; nil when finished results were compared.
  public let setting: Setting?
  /// The baseline, then the others.
  public let methods: [Method]
  /// Files that were written.
  public var files: [String] = []
  /// What is to be said about them.
  public var warnings: [String] = []

  /// How runs were made.
  public struct Setting: Encodable, Sendable {
    /// The scheduler.
    public let scheduler: String
    /// Scheduler steps.
    public let steps: Int
    /// The calls of a step.
    public let branches: [String]
    /// The guidance scale; nil without guidance.
    public let guidance: Double?
    /// Threads that computed.
    public let threads: Int
    /// The prompts.
    public let prompts: [String]
    /// The seeds, each with every prompt.
    public let seeds: [UInt64]
  }

  /// One row of the table.
  public struct Method: Encodable, Sendable {
    /// The schedule or file; `baseline` for the uncached run.
    public let name: String
    /// Samples that were compared.
    public let samples: Int
    /// Samples that are the baseline's, number for number.
    public let identical: Int
    /// The part of block evaluations that took place, weighted by FLOPs.
    public let computed: Double?
    /// The median wall time of a denoising loop.
    public let seconds: Double?
    /// The median over runs of the baseline's wall time divided by this one's.
    public let speedup: Double?
    /// FLOPs of a run.
    public let flops: Double?
    /// The most bytes that results took.
    public let peakBytes: Int?
    /// Bytes of state of all branches.
    public let stateBytes: Int?
    /// Peak signal-to-noise ratio over the samples that differ.
    public let psnrDb: Summary?
    /// Structural similarity.
    public let ssim: Summary?
    /// LPIPS.
    public let lpips: Summary?
    /// Fréchet distance to the baseline's samples.
    public let frechet: Double?
    /// mean |x − y| / mean |y| of the last latents.
    public let relativeL1: Summary?
    /// ‖x − y‖ / ‖y‖ of the last latents.
    public let relativeL2: Summary?
    /// The cosine of the last latents.
    public let cosine: Summary?
    /// The same along the way, averaged over samples.
    public let perStep: [Step]
    /// Each sample.
    public let runs: [Sample]

    enum CodingKeys: String, CodingKey {
      case name, samples, identical, computed, seconds, speedup, flops, ssim, lpips, frechet
      case cosine, runs
      case peakBytes = "peak_bytes"
      case stateBytes = "state_bytes"
      case psnrDb = "psnr_db"
      case relativeL1 = "relative_l1"
      case relativeL2 = "relative_l2"
      case perStep = "per_step"
    }
  }

  /// How a measure is spread over samples.
  public struct Summary: Encodable, Hashable, Sendable {
    /// The mean.
    public let mean: Double
    /// The standard deviation, divided by the number of samples.
    public let deviation: Double
    /// The least.
    public let minimum: Double
    /// The greatest.
    public let maximum: Double

    /// A summary; nil of no numbers.
    init?(of numbers: [Double]) {
      guard let first = numbers.first else { return nil }
      let mean = numbers.reduce(0, +) / Double(numbers.count)
      self.mean = mean
      deviation = (numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(numbers.count))
        .squareRoot()
      minimum = numbers.reduce(first) { Swift.min($0, $1) }
      maximum = numbers.reduce(first) { Swift.max($0, $1) }
    }
  }

  /// How far latents are from the baseline's before a step, or after the last.
  public struct Step: Encodable, Hashable, Sendable {
    /// mean |x − y| / mean |y|.
    public let relativeL1: Double
    /// ‖x − y‖ / ‖y‖.
    public let relativeL2: Double
    /// The cosine.
    public let cosine: Double

    enum CodingKeys: String, CodingKey {
      case cosine
      case relativeL1 = "relative_l1"
      case relativeL2 = "relative_l2"
    }
  }

  /// One sample beside the baseline's.
  public struct Sample: Encodable, Hashable, Sendable {
    /// The prompt.
    public let prompt: String?
    /// The seed.
    public let seed: UInt64?
    /// Wall time of its denoising loop.
    public let seconds: Double?
    /// Peak signal-to-noise ratio; nil when identical.
    public let psnrDb: Double?
    /// Structural similarity.
    public let ssim: Double?
    /// LPIPS.
    public let lpips: Double?
    /// mean |x − y| / mean |y|.
    public let relativeL1: Double

    enum CodingKeys: String, CodingKey {
      case prompt, seed, seconds, ssim, lpips
      case psnrDb = "psnr_db"
      case relativeL1 = "relative_l1"
    }
  }
}

/// Everything known of one method before it is summed up.
struct MethodRuns {
  let name: String
  var seconds: [Double] = []
  var computed: [Double] = []
  var flops: Double?
  var peakBytes: Int?
  var stateBytes: Int?
  var samples: [(prompt: String?, seed: UInt64?, seconds: Double?, measured: MeasuredSample)] = []
  var features: [[Double]] = []

  init(_ name: String) {
    self.name = name
  }

  /// The row beside the baseline; the baseline's own row has no quality.
  func row(against baseline: MethodRuns) throws -> EvaluationReport.Method {
    let qualities = samples.map(\.measured.quality)
    let latents = samples.map(\.measured.latents)
    let ratios = zip(baseline.seconds, seconds).map { $0 / $1 }
    let hasFeatures = baseline.features.count > 1 && features.count > 1
    let isBaseline = samples.isEmpty
    return EvaluationReport.Method(
      name: name, samples: samples.count, identical: qualities.count { $0.isIdentical },
      computed: computed.isEmpty ? nil : computed.reduce(0, +) / Double(computed.count),
      seconds: Self.median(seconds), speedup: isBaseline ? nil : Self.median(ratios), flops: flops,
      peakBytes: peakBytes, stateBytes: stateBytes,
      psnrDb: .init(of: qualities.compactMap(\.psnr)),
      ssim: .init(of: qualities.compactMap(\.structuralSimilarity)),
      lpips: .init(of: samples.compactMap(\.measured.lpips)),
      frechet: hasFeatures && !isBaseline
        ? try FrechetDistance.between(
          try FeatureStatistics(features), try FeatureStatistics(baseline.features)) : nil,
      relativeL1: .init(of: latents.map(\.relativeL1)),
      relativeL2: .init(of: latents.map(\.relativeL2)),
      cosine: .init(of: latents.map(\.cosineSimilarity)), perStep: perStep,
      runs: samples.map { sample in
        let quality = sample.measured.quality
        return EvaluationReport.Sample(
          prompt: sample.prompt, seed: sample.seed, seconds: sample.seconds, psnrDb: quality.psnr,
          ssim: quality.structuralSimilarity, lpips: sample.measured.lpips,
          relativeL1: sample.measured.latents.relativeL1)
      })
  }

  private var perStep: [EvaluationReport.Step] {
    let trajectories = samples.map(\.measured.steps).filter { !$0.isEmpty }
    guard let count = trajectories.map(\.count).min() else { return [] }
    let scale = 1 / Double(trajectories.count)
    return (0..<count).map { step in
      let all = trajectories.map { $0[step] }
      return EvaluationReport.Step(
        relativeL1: scale * all.reduce(0) { $0 + $1.relativeL1 },
        relativeL2: scale * all.reduce(0) { $0 + $1.relativeL2 },
        cosine: scale * all.reduce(0) { $0 + $1.cosineSimilarity })
    }
  }

  private static func median(_ numbers: [Double]) -> Double? {
    guard !numbers.isEmpty else { return nil }
    let sorted = numbers.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
