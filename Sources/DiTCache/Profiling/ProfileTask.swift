import Adapters
import CachePolicies
import Diffusion
import Foundation
import GraphIR
import Interpreter
import ModelStructure
import OnnxFile
import Profiling
import Quality
import ScheduleLanguage
import TensorFiles
import Tensors

/// Profiles a model as the command line asks for it.
public struct ProfileTask: Sendable {
  private let job: SampleJob
  private let probe: AttentionProbe
  private let grid: TokenGrid
  private let layout: LatentLayout
  private let settings: Settings
  /// What turns results into pixels for the report; nil shows them as they are.
  public var decoder: LatentDecoder?

  /// How a profile is made.
  public struct Settings: Sendable {
    /// The score below which a block is background; nil leaves it to `backgroundShare`.
    public var threshold: Double?
    /// The part of the blocks that is background without a threshold.
    public var backgroundShare = 0.6
    /// Attention that counts as high, in units of the mean.
    public var attention = 1.0
    /// Steps that compute everything; nil reads them off the curve.
    public var warmup: Int?
    /// The mean interval between refreshes.
    public var interval = 6.0
    /// An array of masks, (F, H, W) or (runs, F, H, W), in .npy or as `mask` in .npz.
    public var masksPath: String?
    /// A network that segments pictures.
    public var segmenterPath: String?
    /// `clean` or `prediction`: what is reduced by PCA and segmented.
    public var maskSource = "clean"
    /// The step whose prediction is segmented; nil is the last.
    public var maskStep: Int?

    /// Frames, rows and columns of tokens, separated by commas; nil finds them.
    public var tokens: String?

    /// The defaults.
    public init() {}
  }

  /// Adds outputs for the attention to a model in memory.
  public init(
    _ model: LoadedModel, adapter: String? = nil, settings: Settings, threads: Int,
    memory: Int? = nil, style: ComputeStyle = ComputeStyle()
  ) throws {
    try model.requireUncached()
    guard (0...1).contains(settings.backgroundShare), settings.interval >= 1,
      settings.attention > 0, settings.warmup ?? 0 >= 0
    else {
      throw UsageError(
        "bad-setting", at: "profile",
        "--background is 0 to 1, --interval 1 or more, --attention above 0, --warmup not negative")
    }
    let model = try model.fixingBatch(adapter: adapter)
    job = try SampleJob(
      model, adapter: adapter, threads: threads, memory: memory, style: style)
    (grid, layout) = try TokenGrid.find(
      in: model.measured, structure: model.structure, latents: job.roles.latents,
      given: try settings.tokens.map { try Self.grid($0) })
    probe = try AttentionProbe(model.measured, structure: model.structure, tokens: grid)
    self.settings = settings
  }

  /// Runs the model uncached on every prompt and seed and writes what was found.
  ///
  /// - Parameters:
  ///   - request: what to denoise; one sample a run
  ///   - folder: a folder for `profile.json`, `profiled.dcs` and `masks.png`
  ///   - recordPath: an archive for the attention, masks and predictions of the first run that
  ///     shows a foreground
  ///   - progress: called with a title, the steps done and all steps of a run
  /// - Returns: the report, without the runs whose mask separates nothing
  /// - Throws: `ProfilingError` when no mask does, and what reading, running and writing throw
  public func run(
    _ request: RunSet, folder: String? = nil, recordPath: String? = nil,
    progress: (String, Int, Int) -> Void = { _, _, _ in }
  ) throws -> ProfileReport {
    let model = job.model
    if let folder { try FolderPath.make(folder) }
    if let recordPath {
      try FolderPath.requireParent(of: recordPath)
      try FolderPath.requireOther(recordPath, than: model.path, request.sample.inputsPath)
    }
    try model.file.requireWeights()
    let engine = try ProfilingEngine(
      probe, options: job.style.options(threads: job.threads, memory: job.memory))
    let scheduler = try job.scheduler(of: request.sample)
    let masks = try MaskSource(settings, threads: job.threads)
    var runs: [ModelProfile.Run] = []
    var used: [RunSet.Run] = []
    var unclear: [String] = []
    var exhibits: [ProfileExhibit] = []
    var first: ProfiledRun?
    var files: [String] = []
    for (number, run) in request.runs.enumerated() {
      var sample = request.sample
      (sample.prompt, sample.seed) = (run.prompt, run.seed ?? 0)
      let inputs = try job.inputs(sample)
      guard inputs.sampleCount == 1 else {
        throw UsageError(
          "several-samples", at: "--inputs",
          "a profile takes one sample a run, not "
            + "\(inputs.sampleCount)")
      }
      engine.reset()
      let loop = DenoisingLoop(engine, roles: job.roles, scheduler: scheduler)
      let recording = try loop.run(inputs) {
        progress("run \(number + 1)/\(request.runs.count)", $0, $1)
      }
      let observed = try ProfiledRun(
        recording, guidance: inputs.guidanceScale, calls: engine.calls, layout: layout)
      let (map, mask) = try masks.mask(
        of: observed, levels: inputs.levels, isFlow: scheduler.isFlowMatching, run: number)
      exhibits.append(
        ProfileExhibit(
          caption: Self.label(run, number),
          rows: [
            ("result", try picture(recording.final)),
            (masks.name, map.video),
            ("foreground", mask.video),
          ]))
      let foreground = try mask.tokens(grid)
      guard foreground.contains(true), foreground.contains(false) else {
        unclear.append(Self.label(run, number))
        continue
      }
      let scores = try BlockScores(
        received: observed.received, keyCounts: probe.blocks.map(\.tokenCount),
        foreground: foreground, grid: grid, threshold: settings.attention)
      let changes = try observed.changes(along: inputs.levels, isFlow: scheduler.isFlowMatching)
      if runs.isEmpty, let recordPath {
        try NPZFile.write(
          try observed.arrays(mask: mask, scores: scores, changes: changes, levels: inputs.levels)
            .map { ($0.name, $0.tensor) }, to: recordPath)
        files.append(recordPath)
      }
      first = first ?? observed
      runs.append(.init(scores: scores, changes: changes))
      used.append(run)
    }
    guard let first else { throw ProfilingError.noForeground(runs: request.runs.count) }
    var options = ModelProfile.Options()
    options.threshold = settings.threshold
    options.backgroundShare = settings.backgroundShare
    options.warmup = settings.warmup
    options.interval = settings.interval
    let profile = try ModelProfile(
      runs, blocks: probe.blocks.map { ($0.name, $0.position) }, options: options)
    let schedule = ProposedSchedule(
      profile, name: "profiled", adapter: "any",
      evidence: evidence(runs: runs.count, scheduler))
    try Self.check(schedule)
    var report = ProfileReport(
      profile, model: job.model.file.path, probe: probe, grid: grid, settings: settings, runs: used,
      unclear: unclear,
      scheduler: scheduler.rawValue, schedule: schedule)
    report.files = files
    if let folder {
      let attention = try first.exhibit(profile, grid: grid, caption: Self.label(used[0], 0))
      try report.write(to: folder, schedule: schedule, exhibits: exhibits, attention: attention)
    }
    return report
  }

  /// A grid as `--tokens` gives it.
  private static func grid(_ text: String) throws -> TokenGrid {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 3, let frames = numbers[0], let rows = numbers[1],
      let columns = numbers[2], numbers.allSatisfy({ (1...1 << 20).contains($0 ?? 0) })
    else {
      throw UsageError(
        "bad-grid", at: "--tokens \(text)",
        "three positive numbers were expected: "
          + "frames, rows and columns, such as 21,30,52")
    }
    return TokenGrid(frames: frames, rows: rows, columns: columns)
  }

  /// The first sample of a result as a video: pixels where there is a decoder.
  private func picture(_ result: Tensor) throws -> Tensor {
    if let decoder { return try decoder.pixels(of: result).asVideo }
    let planes = try layout.planes(result.entry(0))
    let shape = try Shape([1] + planes.shape.dimensions)
    return planes.contiguous().view(shape: shape, strides: shape.rowMajorStrides).asVideo
  }

  private static func label(_ run: RunSet.Run, _ number: Int) -> String {
    [run.prompt ?? "run \(number)", run.seed.map { "seed \($0)" }].compactMap { $0 }
      .joined(separator: ", ")
  }

  /// What the schedule's comments say about where it comes from.
  private func evidence(runs: Int, _ scheduler: SchedulerName) -> [String] {
    let name = URL(filePath: job.model.path).lastPathComponent
    return [
      "\(name), \(runs) \(runs == 1 ? "run" : "runs"), \(scheduler.rawValue), "
        + "\(grid.frames) x \(grid.rows) x \(grid.columns) tokens; attention above "
        + "\(settings.attention) of the mean is high."
    ]
  }

  /// A proposal is a schedule like any other.
  private static func check(_ schedule: ProposedSchedule) throws {
    _ = try ScheduleDocument.reading(
      SourceFile(path: "profiled.dcs", text: schedule.text), with: .standard)
  }
}
