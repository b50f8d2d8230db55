import ArgumentParser
import DiTCache

/// `ditcache sample`.
struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Denoises with a model, cached and uncached, and compares both.")

  @Argument(help: "An ONNX file, original or cached.")
  var model: String

  @Option(
    help: ArgumentHelp("Caches the model first: a file or catalogue name.", valueName: "FILE"))
  var schedule: String?

  @Option(
    help: ArgumentHelp("The adapter, by name or file; recognised when left out.", valueName: "NAME")
  )
  var adapter: String?

  @Option(help: ArgumentHelp("Words for the prompt table beside the model.", valueName: "WORDS"))
  var prompt: String?

  @Option(
    help: ArgumentHelp(
      "The scheduler. When left out: the adapter's, with --inputs euler for unipc.",
      valueName: "euler|unipc|ddim"))
  var scheduler: String?

  @Option(help: ArgumentHelp("Scheduler steps.", valueName: "N"))
  var steps: Int?

  @Option(help: ArgumentHelp("Shift of the noise levels.", valueName: "S"))
  var shift: Double?

  @Option(help: ArgumentHelp("Guidance scale.", valueName: "G"))
  var guidance: Double?

  @Option(help: ArgumentHelp("Samples of the prompt, each with noise of its own.", valueName: "N"))
  var samples = 1

  @Option(help: ArgumentHelp("Seed of the noise.", valueName: "K"))
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("Noise, levels and embeddings from a file.", valueName: "X.npz"))
  var inputs: String?

  @Option(help: ArgumentHelp("Where to write everything computed.", valueName: "R.npz"))
  var record: String?

  @Option(
    name: .shortAndLong, help: ArgumentHelp("A folder for pictures and latents.", valueName: "DIR"))
  var output: String?

  @Flag(help: "Does not run the uncached model for comparison.")
  var noBaseline = false

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions

  func run() throws {
    let model = try options.load(model)
    let task = try SampleTask(
      model, schedule: schedule, adapter: adapter, steps: steps, inputsPath: inputs,
      threads: try threads.count(), memory: try threads.byteCount())
    var request = SampleJob.Request()
    request.prompt = prompt
    request.inputsPath = inputs
    try request.setScheduler(scheduler)
    request.steps = steps
    request.shift = shift
    request.guidance = guidance
    request.samples = samples
    request.seed = seed
    let bar = ProgressBar(quiet: options.quiet || options.json)
    let report = try task.run(
      request, comparing: !noBaseline, recordPath: record, folder: output
    ) { bar.update($0, $1, $2) }
    for warning in report.warnings { Terminal.printWarning(warning) }
    if options.json {
      print(try JSONText.of(report))
    } else if !options.quiet {
      printSummary(report)
    }
  }

  private func printSummary(_ report: SampleReport) {
    var rows = [
      ["scheduler", report.scheduler], ["steps", "\(report.steps)"],
      ["branches", report.branches.joined(separator: ", ")],
    ]
    for site in report.sites {
      let metric = site.metric.map {
        ", metric \(Terminal.short($0.minimum)) to \(Terminal.short($0.maximum))"
      }
      rows.append([
        "site \(site.name)",
        "computed \(Terminal.decimal(100 * site.computed, 1)) % of calls\(metric ?? "")",
      ])
      if options.verbose { rows += details(site, report) }
    }
    if let saved = report.flopsSaved {
      rows.append(["FLOPs saved", "\(Terminal.decimal(100 * saved, 1)) %"])
    }
    if report.stateBytes > 0 {
      rows.append(["state", Terminal.scaled(report.stateBytes, unit: "B")])
      if options.verbose, report.branches.count > 1 {
        rows += zip(report.branches, report.branchStateBytes).map {
          ["  \($0)", Terminal.scaled($1, unit: "B")]
        }
      }
    }
    rows.append(["wall time", "\(Terminal.decimal(report.seconds)) s"])
    if let baseline = report.baselineSeconds {
      rows.append(["uncached", "\(Terminal.decimal(baseline)) s"])
      rows.append(["speed-up", "\(Terminal.decimal(baseline / report.seconds))x"])
    }
    if let quality = report.quality {
      rows.append(["relative L1", Terminal.decimal(quality.relativeL1, 5)])
      rows.append(["PSNR", quality.psnrDb.map { "\(Terminal.decimal($0)) dB" } ?? "identical"])
    }
    for path in report.files { rows.append(["wrote", path]) }
    print(Terminal.table(rows))
  }

  private func details(_ site: SampleReport.Site, _ report: SampleReport) -> [[String]] {
    var rows = zip(report.branches, site.computedSteps).map { branch, steps in
      ["  \(branch)", "computed \(steps.map(String.init).joined(separator: " "))"]
    }
    if let metric = site.metric {
      rows.append([
        "  metric",
        "p10 \(Terminal.short(metric.p10)), p50 \(Terminal.short(metric.p50)), "
          + "p90 \(Terminal.short(metric.p90)) of \(metric.calls) calls",
      ])
    }
    if site.notFiniteCalls > 0 {
      rows.append(["  metric", "NaN or infinite in \(site.notFiniteCalls) calls"])
    }
    rows += site.wouldFire.map {
      ["  threshold \($0.threshold)", "would have reused up to \($0.steps) steps"]
    }
    return rows
  }
}
