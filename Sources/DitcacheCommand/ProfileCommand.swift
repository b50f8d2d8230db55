import ArgumentParser
import DiTCache

/// `ditcache profile`.
struct ProfileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "profile",
    abstract: "Finds blocks that look at the background, and proposes a schedule.",
    discussion: """
      The analysis of ProfilingDiT (arXiv 2504.03140): runs the model uncached, sums the attention \
      that each token receives in each block, compares it with a mask of the foreground, and reads \
      the intervals of refreshes off the change of predictions.
      """)

  @Argument(help: "An ONNX file.")
  var model: String

  @OptionGroup var runs: RunSetOptions

  @Option(
    help: ArgumentHelp(
      "Blocks that score less are background; when left out, --background decides.",
      valueName: "SCORE"))
  var tau: Double?

  @Option(
    help: ArgumentHelp("The part of the blocks that is background without --tau.", valueName: "P"))
  var background = 0.6

  @Option(
    help: ArgumentHelp(
      "Attention above A times the mean counts as high.", valueName: "A"))
  var attention = 1.0

  @Option(
    help: ArgumentHelp(
      "How tokens lie; needed where latents are (B, tokens, C), as FLUX has them.",
      valueName: "FRAMES,ROWS,COLUMNS"))
  var tokens: String?

  @Option(help: ArgumentHelp("Steps that compute everything.", valueName: "W"))
  var warmup: Int?

  @Option(help: ArgumentHelp("The mean interval between refreshes.", valueName: "T"))
  var interval = 6.0

  @Option(
    help: ArgumentHelp(
      "Masks (frames, rows, columns), above 0 is foreground: .npy, or 'mask' in .npz.",
      valueName: "FILE"))
  var masks: String?

  @Option(
    help: ArgumentHelp(
      "A network that segments pictures (1, 3, H, W); above 0 is foreground.", valueName: "X.onnx"))
  var segmenter: String?

  @Option(
    help: ArgumentHelp(
      "What is segmented: the clean latents that a prediction implies, or the prediction.",
      valueName: "clean|prediction"))
  var maskSource = "clean"

  @Option(
    help: ArgumentHelp("The step that is segmented; the last when left out.", valueName: "S"))
  var maskStep: Int?

  @Option(
    help: ArgumentHelp("Where to write the first run's attention and masks.", valueName: "R.npz"))
  var record: String?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("A folder for the schedule, the masks and the report.", valueName: "DIR"))
  var output: String?

  @OptionGroup var decoding: DecoderOptions
  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions

  func run() throws {
    var settings = ProfileTask.Settings()
    settings.threshold = tau
    settings.backgroundShare = background
    settings.attention = attention
    settings.tokens = tokens
    settings.warmup = warmup
    settings.interval = interval
    settings.masksPath = masks
    settings.segmenterPath = segmenter
    settings.maskSource = maskSource
    settings.maskStep = maskStep
    var task = try ProfileTask(
      try options.load(model), adapter: runs.adapter, settings: settings,
      threads: try threads.count(), memory: try threads.byteCount(), style: try threads.style())
    task.decoder = try decoding.load(options, threads)
    let bar = ProgressBar(quiet: options.quiet || options.json)
    let report = try task.run(try runs.request(), folder: output, recordPath: record) {
      bar.update($0, $1, $2)
    }
    for block in report.skipped {
      Terminal.printWarning("\(block.name) was not observed: \(block.reason)")
    }
    for run in report.unclear {
      Terminal.printWarning("'\(run)' is left out: its mask makes no token foreground, or all")
    }
    if report.background == nil {
      Terminal.printWarning(
        "no block scores below \(Terminal.short(report.threshold)), so there is nothing to cache")
    }
    if options.json {
      print(try JSONText.of(report))
    } else if !options.quiet {
      printSummary(report)
    }
  }

  private func printSummary(_ report: ProfileReport) {
    let count = report.runs.count
    print("attention to the foreground, \(count) \(count == 1 ? "run" : "runs"):")
    print(
      Terminal.table(
        report.blocks.map { block in
          [
            block.name, bar(block.score), Terminal.decimal(block.score, 3),
            "± \(Terminal.decimal(block.stepDeviation, 3))",
            block.background ? "background" : "",
          ]
        }))
    var rows = [
      ["background", report.background ?? "none"],
      ["below", Terminal.decimal(report.threshold, 3)],
      ["shared by runs", "\(Terminal.decimal(100 * report.runAgreement, 0)) %"],
      ["shared by steps", "\(Terminal.decimal(100 * report.stepAgreement, 0)) %"],
      ["warm-up", "\(report.warmup) steps"],
      [
        "intervals",
        "\(Terminal.decimal(report.longestInterval, 1)) to "
          + Terminal.decimal(report.shortestInterval, 1),
      ],
      ["refresh at", report.refresh.map(String.init).joined(separator: " ")],
    ]
    for path in report.files { rows.append(["wrote", path]) }
    print(Terminal.table(rows))
  }

  /// A bar of 20 places for 0 to 1.
  private func bar(_ score: Double) -> String {
    let filled = Int((20 * min(max(score, 0), 1)).rounded())
    return String(repeating: "█", count: filled) + String(repeating: "·", count: 20 - filled)
  }
}
