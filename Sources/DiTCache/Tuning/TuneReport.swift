import Diffusion
import Foundation
import Quality
import Tuning

/// What `tune` found, as JSON of schema 1.
public struct TuneReport: Encodable, Sendable {
  /// The version of this layout.
  public let schema = 1
  /// The model.
  public let model: String
  /// The promise, in words.
  public let promise: String
  /// Whether the search found a schedule that keeps it on the runs it saw.
  public let kept: Bool
  /// Whether the schedule keeps it on the runs that were held out.
  public let confirmed: Bool
  /// The scheduler.
  public let scheduler: String
  /// Scheduler steps.
  public let steps: Int
  /// Threads that computed.
  public let threads: Int
  /// Denoising loops of the search.
  public let runs: Int
  /// How the schedule was found.
  public let family: String
  /// The runs of the search.
  public let training: Figures
  /// The runs that took no part in it.
  public let heldOut: Figures
  /// Everything that was tried.
  public let trials: [Entry]
  /// The schedule.
  public internal(set) var schedule = ""
  /// Files that were written.
  public internal(set) var files: [String] = []

  /// What a schedule does on a set of runs.
  public struct Figures: Encodable, Sendable {
    /// The prompts.
    public let prompts: [String]
    /// The seeds, each with every prompt.
    public let seeds: [UInt64]
    /// The part of the uncached run's FLOPs that is computed.
    public let computed: Double
    /// PSNR; 100 dB for results that are identical.
    public let psnrDb: EvaluationReport.Summary?
    /// Structural similarity.
    public let ssim: EvaluationReport.Summary?
    /// The median over runs of the uncached wall time divided by the cached one; nil where both were
    /// not measured by turns.
    public let speedup: Double?
    /// PSNR of each run, prompt by prompt.
    public let samplesPsnrDb: [Double]

    enum CodingKeys: String, CodingKey {
      case prompts, seeds, computed, ssim, speedup
      case psnrDb = "psnr_db"
      case samplesPsnrDb = "samples_psnr_db"
    }
  }

  /// One schedule that was tried.
  public struct Entry: Encodable, Sendable {
    /// How it was found.
    public let family: String
    /// The part of the uncached run's FLOPs that was computed.
    public let computed: Double
    /// The mean PSNR.
    public let psnrDb: Double
    /// The least PSNR.
    public let minimumPsnrDb: Double
    /// The steps that compute, if they are listed.
    public let steps: [Int]?
    /// Those with the unconditional call, if not all have it.
    public let unconditional: [Int]?
    /// The threshold, if there is one.
    public let threshold: Double?
    /// Whether the promise was kept.
    public let kept: Bool
    /// Whether nothing tried is faster and better.
    public let isOnFront: Bool

    enum CodingKeys: String, CodingKey {
      case family, computed, steps, unconditional, threshold, kept
      case psnrDb = "psnr_db"
      case minimumPsnrDb = "minimum_psnr_db"
      case isOnFront = "on_front"
    }
  }

  enum CodingKeys: String, CodingKey {
    case schema, model, promise, kept, confirmed, scheduler, steps, threads, runs, family, training
    case trials, schedule, files
    case heldOut = "held_out"
  }

  init(
    promise: Promise, search: TuneSearch, best: Trial, confirmation: TuneTask.Confirmation,
    sets: HeldOut, threads: Int
  ) {
    model = URL(filePath: search.bench.job.model.path).lastPathComponent
    self.promise = promise.text
    kept = promise.isKept(by: best)
    scheduler = search.bench.scheduler.rawValue
    steps = search.bench.steps
    self.threads = threads
    runs = search.used
    family = best.family
    let trials = search.trials
    let front = Set(
      ParetoFront.places(of: trials.map { ($0.computed, Trial.mean($0.psnr)) }))
    self.trials = trials.enumerated().map { place, trial in
      Entry(
        family: trial.family, computed: trial.computed, psnrDb: Trial.mean(trial.psnr),
        minimumPsnrDb: trial.psnr.min() ?? 0, steps: trial.plan?.computed,
        unconditional: trial.plan?.unconditional, threshold: trial.threshold,
        kept: promise.isKept(by: trial), isOnFront: front.contains(place))
    }
    training = Figures(
      prompts: sets.training.prompts, seeds: sets.training.seeds, computed: best.computed,
      psnrDb: .init(of: best.psnr), ssim: .init(of: best.ssim), speedup: nil,
      samplesPsnrDb: best.psnr)
    let ratios = zip(confirmation.uncachedSeconds, confirmation.seconds).map { $0 / $1 }.sorted()
    let computed = Trial.mean(confirmation.computed)
    heldOut = Figures(
      prompts: sets.heldOut.prompts, seeds: sets.heldOut.seeds, computed: computed,
      psnrDb: .init(of: confirmation.psnr), ssim: .init(of: confirmation.ssim),
      speedup: ratios.isEmpty
        ? nil : (ratios[(ratios.count - 1) / 2] + ratios[ratios.count / 2]) / 2,
      samplesPsnrDb: confirmation.psnr)
    let values = promise.measure == .ssim ? confirmation.ssim : confirmation.psnr
    confirmed =
      promise.measure == .speedup
      ? computed * promise.bound <= 1 + 1e-9
      : (promise.isForEverySample ? values.min() ?? 0 : Trial.mean(values)) >= promise.bound
  }

  /// What the schedule's comments say about where it comes from.
  var evidence: [String] {
    func number(_ value: Double, _ digits: Int = 2) -> String {
      String(format: "%.\(digits)f", value)
    }
    func line(_ what: String, _ figures: Figures) -> String {
      let count = figures.samplesPsnrDb.count
      let psnr = figures.psnrDb.map { "PSNR \(number($0.mean)) dB, at least \(number($0.minimum))" }
      return "\(what), \(count) \(count == 1 ? "run" : "runs"): "
        + [
          psnr, "\(number(100 * figures.computed, 1)) % computed",
          figures.speedup.map { "\(number($0))x by the clock" },
        ].compactMap { $0 }.joined(separator: ", ")
    }
    func names(_ figures: Figures) -> [String] {
      figures.prompts.map { "  \($0)" }
        + ["  seeds \(figures.seeds.map(String.init).joined(separator: ", "))"]
    }
    return [
      "Found by `ditcache tune`: \(promise).", "",
      "\(model), \(steps) steps of \(scheduler), \(threads) threads; \(trials.count) schedules tried "
        + "in \(runs) runs.",
      "Family: \(family).", line("Searched on", training),
    ] + names(training) + [line("Held out", heldOut)] + names(heldOut)
  }

  /// Writes `tuned.dcs`, `tune.html` and `tune.json` into a folder that exists.
  mutating func write(to folder: String, page: HTMLPage) throws {
    try ScheduleTexts.replace("\(folder)/tuned.dcs", with: schedule)
    try page.write(to: "\(folder)/tune.html")
    files += ["\(folder)/tuned.dcs", "\(folder)/tune.html", "\(folder)/tune.json"]
    try ScheduleTexts.replace("\(folder)/tune.json", with: try JSONText.of(self) + "\n")
  }
}
