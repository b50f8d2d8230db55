import Diffusion
import Foundation
import GraphIR
import OnnxFile
import Quality
import ScheduleLanguage
import Tensors
import Tuning

/// Finds the fastest schedule that keeps a promise, as the command line asks for it.
public struct TuneTask: Sendable {
  private let job: SampleJob
  private let adapter: String?
  private let settings: Settings

  /// How a search goes.
  public struct Settings: Sendable {
    /// What has to be kept.
    public var promise: Promise
    /// How long the search may go on.
    public var budget: RunBudget
    /// Schedules whose thresholds are searched, files or catalogue names.
    public var schedules: [String] = []
    /// What lists are searched for; empty searches thresholds only.
    public var sites = Set(Site.allCases)
    /// The JSON of `profile`, whose scores order the blocks; nil measures each block.
    public var profilePath: String?
    /// Prompts that confirm the result; empty holds a part of the others out.
    public var heldOutPrompts: [String] = []
    /// An archive of inputs that confirms a search on an archive.
    public var heldOutInputs: String?
    /// Seeds that confirm it; empty takes as many as there are, from the one after the greatest.
    public var heldOutSeeds: [UInt64] = []

    /// What lists are searched for.
    public enum Site: String, CaseIterable, Sendable {
      /// Steps of the whole model.
      case output
      /// Steps of all blocks.
      case stack
      /// Unconditional calls of guidance.
      case guidance
      /// Blocks.
      case blocks
    }

    /// Takes sites by their names, separated by commas.
    public mutating func setSites(_ names: String) throws {
      sites = Set(
        try names.split(separator: ",").map { try OptionWord.parse(String($0), option: "--sites") })
    }

    /// A search for a promise.
    public init(_ promise: Promise, budget: RunBudget) {
      self.promise = promise
      self.budget = budget
    }
  }

  /// A search on a model without cache.
  public init(
    _ model: LoadedModel, adapter: String? = nil, settings: Settings, threads: Int,
    memory: Int? = nil, style: ComputeStyle = ComputeStyle()
  ) throws {
    try model.requireUncached()
    guard !settings.sites.isEmpty || !settings.schedules.isEmpty else {
      throw UsageError(
        "nothing-to-search", at: "--no-lists", "without lists there is nothing to search",
        hint: "pass --schedule as well")
    }
    job = try SampleJob(
      model, adapter: adapter, threads: threads, memory: memory, style: style)
    self.adapter = adapter
    self.settings = settings
  }

  /// Searches, confirms the result on runs that took no part, and writes what was found.
  ///
  /// With `--budget` in runs the search depends on the runs alone, not on how long they take.
  ///
  /// - Parameters:
  ///   - request: what to denoise; the scheduler and step count of the result
  ///   - folder: a folder for `tuned.dcs`, `tune.html` and `tune.json`
  ///   - progress: called with what goes on, the runs done and the runs allowed
  /// - Returns: the report
  /// - Throws: what reading, running and writing throw
  public func run(
    _ request: RunSet, folder: String? = nil,
    progress: @escaping (String, Int, Int) -> Void = { _, _, _ in }
  ) throws -> TuneReport {
    if let folder { try FolderPath.make(folder) }
    try job.model.file.requireWeights()
    let schedules = try settings.schedules.map { try ScheduleLibrary.schedule($0) }
    let scores = try settings.profilePath.map { try TuneSearch.scores(ofProfile: $0) }
    let sets = try HeldOut(request, settings)
    var bench = try TrialBench(job, adapter: adapter, request: sets.training)
    var trajectories: [Trajectory] = []
    for (number, run) in sets.training.runs.enumerated() {
      let (recording, inputs) = try bench.add(run) { progress("uncached", $0, $1) }
      guard number > 0 || inputs.sampleCount == 1 else {
        throw UsageError(
          "several-samples", at: "--inputs",
          "a search takes one sample a run, not "
            + "\(inputs.sampleCount)")
      }
      trajectories.append(Trajectory(recording, guidance: inputs.guidanceScale))
    }
    let search = try TuneSearch(
      bench, promise: settings.promise, budget: settings.budget, trajectories: trajectories,
      used: bench.samples.count, progress: progress)
    let sites = settings.sites
    for (number, schedule) in schedules.enumerated() {
      let left = schedules.count - number
      try search.take(oneOf: sites.isEmpty ? left : left + schedules.count) {
        try $0.searchThreshold(schedule)
      }
    }
    if !sites.isEmpty {
      try search.measureGains()
      try search.searchSteps(
        ScheduleFamily.all.filter { sites.contains($0.keepsOutput ? .output : .stack) })
      if sites.contains(.guidance) { try search.searchGuidance() }
      if sites.contains(.blocks) { try search.searchBlocks(scores: scores) }
      try search.refine()
    }
    guard let best = search.best else {
      throw UsageError(
        "nothing-tried", at: "--budget", "the budget was used up before a schedule was tried",
        hint: "\(bench.samples.count) prompts and seeds are run for each")
    }
    let confirmation = try confirm(best, on: sets.heldOut, progress)
    var report = TuneReport(
      promise: settings.promise, search: search, best: best, confirmation: confirmation,
      sets: sets, threads: job.threads)
    report.schedule = try TunedSchedule.text(best.schedule, evidence: report.evidence)
    if let folder {
      try report.write(
        to: folder, page: report.page(best: best, exhibits: confirmation.exhibits))
    }
    return report
  }

  /// What the best schedule does on runs that the search did not see.
  struct Confirmation {
    var psnr: [Double] = []
    var ssim: [Double] = []
    var computed: [Double] = []
    var seconds: [Double] = []
    var uncachedSeconds: [Double] = []
    var exhibits: [Evaluation.Exhibit] = []
  }

  /// Runs uncached and cached by turns, so that a busy hour meets both.
  private func confirm(
    _ best: Trial, on runs: RunSet, _ progress: (String, Int, Int) -> Void
  ) throws -> Confirmation {
    var bench = try TrialBench(job, adapter: adapter, request: runs)
    let candidate = try bench.candidate(best.schedule)
    var result = Confirmation()
    for (number, run) in runs.runs.enumerated() {
      progress("confirming", number, runs.runs.count)
      _ = try bench.add(run) { _, _ in }
      let (trial, finals) = try bench.run(
        candidate, family: best.family, on: number..<number + 1
      ) { _, _ in }
      result.psnr += trial.psnr
      result.ssim += trial.ssim
      result.computed.append(trial.computed)
      result.seconds += trial.seconds
      result.uncachedSeconds.append(bench.samples[number].seconds)
      if number < Evaluation.exhibitCount {
        result.exhibits.append(
          .init(
            method: "tuned", prompt: run.prompt, result: finals[0],
            reference: bench.samples[number].final))
      }
    }
    progress("confirming", runs.runs.count, runs.runs.count)
    return result
  }
}

/// Runs for a search, and runs that confirm what it found.
struct HeldOut: Sendable {
  var training: RunSet
  var heldOut: RunSet

  /// Without prompts of their own every third one is held out; without seeds of their own those runs
  /// take seeds that the search does not see.
  init(_ request: RunSet, _ settings: TuneTask.Settings) throws {
    let (prompts, seeds) = (settings.heldOutPrompts, settings.heldOutSeeds)
    training = request
    heldOut = request
    guard request.sample.inputsPath == nil else {
      guard let path = settings.heldOutInputs else {
        throw UsageError(
          "nothing-held-out", at: "--inputs", "the result has to be confirmed on other inputs",
          hint: "pass --held-out with a second archive")
      }
      heldOut.sample.inputsPath = path
      return
    }
    if !prompts.isEmpty {
      heldOut.prompts = prompts
    } else if request.prompts.count >= 3 {
      training.prompts = request.prompts.enumerated().filter { $0.offset % 3 != 2 }.map(\.element)
      heldOut.prompts = request.prompts.enumerated().filter { $0.offset % 3 == 2 }.map(\.element)
    }
    let next = (request.seeds.max() ?? 0) + 1
    heldOut.seeds = seeds.isEmpty ? (0..<UInt64(request.seeds.count)).map { next + $0 } : seeds
  }
}
