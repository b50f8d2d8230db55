import ArgumentParser
import DiTCache

/// `ditcache tune`.
struct TuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune",
    abstract: "Finds the fastest schedule that keeps a promise about quality.",
    discussion: """
      Runs the model uncached on all prompts and seeds, looks for lists of steps, unconditional \
      calls and blocks by replaying what it predicted, proves them by real runs, and confirms the \
      best on prompts and seeds that took no part. Of each --schedule with a threshold, the largest \
      that keeps the promise is found, by the exact numbers where decisions change.
      """)

  @Argument(help: "An ONNX file.")
  var model: String

  @Option(
    help: ArgumentHelp(
      "The promise: psnr=DB, ssim=PART, or speedup=FACTOR for the best quality at a speed.",
      valueName: "PROMISE"))
  var atLeast: String

  @Flag(help: "Every sample has to keep the promise, not only their mean.")
  var everySample = false

  @Option(
    help: ArgumentHelp(
      "A schedule whose threshold is searched: a file or catalogue name; may be repeated.",
      valueName: "FILE"))
  var schedule: [String] = []

  @Option(
    help: ArgumentHelp(
      "What lists are searched for, separated by commas; all when left out.",
      valueName: "output,stack,guidance,blocks"))
  var sites: String?

  @Flag(help: "Searches the thresholds of --schedule only.")
  var noLists = false

  @Option(
    help: ArgumentHelp(
      "Orders the blocks by the scores of `profile` instead of trying each.",
      valueName: "profile.json"))
  var profile: String?

  @Option(
    help: ArgumentHelp(
      "How long to search: denoising loops, or a time such as 10m.",
      valueName: "N"))
  var budget = "400"

  @OptionGroup var runs: RunSetOptions

  @Option(
    help: ArgumentHelp(
      "Prompts that confirm the result, one a line, or with --inputs a second archive; every third "
        + "of --prompts when left out.",
      valueName: "FILE"))
  var heldOut: String?

  @Option(
    help: ArgumentHelp(
      "Seeds that confirm it; those after the greatest of --seeds when left out.",
      valueName: "SEEDS"))
  var heldOutSeeds: String?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("A folder for the schedule and the report.", valueName: "DIR"))
  var output: String?

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions

  func run() throws {
    var promise = try Promise(atLeast)
    promise.isForEverySample = everySample
    var settings = TuneTask.Settings(promise, budget: try RunBudget(budget))
    settings.schedules = schedule
    if let sites { try settings.setSites(sites) }
    if noLists { settings.sites = [] }
    settings.profilePath = profile
    if runs.inputs == nil {
      settings.heldOutPrompts = try heldOut.map { try PromptSet.read($0) } ?? []
    } else {
      settings.heldOutInputs = heldOut
    }
    settings.heldOutSeeds =
      try heldOutSeeds.map { try PromptSet.seeds($0, option: "--held-out-seeds") } ?? []
    let task = try TuneTask(
      try options.load(model), adapter: runs.adapter, settings: settings,
      threads: try threads.count(), memory: try threads.byteCount(), style: try threads.style())
    let bar = ProgressBar(quiet: options.quiet || options.json)
    let report = try task.run(try runs.request(), folder: output) { bar.update($0, $1, $2) }
    if options.json {
      print(try JSONText.of(report))
    } else if !options.quiet {
      printSummary(report)
    }
    guard report.confirmed else {
      throw UsageError.checkFailed(
        "promise-broken", at: report.kept ? "held-out runs" : "search",
        report.kept
          ? "the schedule keeps '\(report.promise)' on the runs of the search, not on the others"
          : "no schedule that was tried keeps '\(report.promise)'")
    }
  }

  private func printSummary(_ report: TuneReport) {
    print("\(report.promise), \(report.trials.count) schedules tried in \(report.runs) runs")
    let front = report.trials.filter(\.isOnFront).sorted { $0.computed < $1.computed }
    print(
      Terminal.table(
        [["speed-up", "PSNR", "min", "", ""]]
          + front.map { trial in
            [
              "\(Terminal.decimal(1 / trial.computed))x", Terminal.decimal(trial.psnrDb),
              Terminal.decimal(trial.minimumPsnrDb), trial.kept ? "kept" : "broken", trial.family,
            ]
          }))
    print("the best: \(report.family)")
    var rows = [("searched on", report.training), ("held out", report.heldOut)].map {
      name, figures in
      [
        name,
        "PSNR \(figures.psnrDb.map { Terminal.decimal($0.mean) } ?? "") dB, at least "
          + "\(figures.psnrDb.map { Terminal.decimal($0.minimum) } ?? "")",
        "\(Terminal.decimal(100 * figures.computed, 1)) % computed",
        figures.speedup.map { "\(Terminal.decimal($0))x by the clock" } ?? "",
      ]
    }
    for path in report.files { rows.append(["wrote", path]) }
    print(Terminal.table(rows))
    if report.files.isEmpty { print(report.schedule, terminator: "") }
  }
}
