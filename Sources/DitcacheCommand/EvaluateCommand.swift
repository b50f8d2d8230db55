import ArgumentParser
import DiTCache

/// `ditcache evaluate`.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Compares cached results with uncached ones: quality, speed, memory.",
    discussion: """
      With a model, runs it uncached and by each --schedule on the same prompts and seeds. With \
      results, folders of `sample -o` or archives with an array 'final', compares all others with \
      the first. Prints a table in Markdown.
      """)

  @Argument(
    help: ArgumentHelp("An ONNX file, or results: the uncached one first.", valueName: "PATH"))
  var paths: [String]

  @Option(
    help: ArgumentHelp(
      "A schedule to evaluate: a file or catalogue name; may be repeated.", valueName: "FILE"))
  var schedule: [String] = []

  @OptionGroup var runs: RunSetOptions
  @OptionGroup var networks: NetworkOptions

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("A folder for the report as .html, .md, .csv and .json.", valueName: "DIR"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "A folder for all results as VBench reads them: {method}/{prompt}-{index}.mp4.",
      valueName: "DIR"))
  var vbench: String?

  @OptionGroup var decoding: DecoderOptions
  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions

  func run() throws {
    let judges = try networks.load(threads: try threads.count())
    var evaluation: Evaluation
    if paths.count == 1, paths[0].hasSuffix(".onnx") || !schedule.isEmpty {
      let model = try options.load(paths[0])
      var task = try EvaluationTask(
        model, schedules: schedule, adapter: runs.adapter, steps: runs.steps,
        inputsPath: runs.inputs, networks: judges, threads: try threads.count(),
        memory: try threads.byteCount(), style: try threads.style())
      let bar = ProgressBar(quiet: options.quiet || options.json)
      task.decoder = try decoding.load(options, threads)
      evaluation = try task.run(try runs.request(), videos: vbench) { bar.update($0, $1, $2) }
    } else {
      guard vbench == nil, decoding.decoder == nil else {
        throw UsageError(
          "nothing-to-run", at: vbench == nil ? "--decoder" : "--vbench",
          "finished results are compared as they are", hint: "pass one model")
      }
      guard schedule.isEmpty else {
        throw UsageError(
          "schedule-without-model", at: "--schedule", "results are compared as they are",
          hint: "pass one model, or no schedule")
      }
      evaluation = try ResultComparison(networks: judges).run(paths)
    }
    if let output { try evaluation.write(to: output) }
    let report = evaluation.report
    for warning in report.warnings { Terminal.printWarning(warning) }
    if options.json {
      print(try JSONText.of(report))
    } else if !options.quiet {
      print(EvaluationTable(report).markdown, terminator: "")
      for path in report.files { print("wrote \(path)") }
    }
  }
}

/// Networks that judge pictures.
struct NetworkOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The backbone of LPIPS, its linear heads beside it as X.npz.", valueName: "X.onnx"))
  var lpips: String?

  @Option(
    help: ArgumentHelp(
      "A network whose features a Fréchet distance (FID, FVD) compares.", valueName: "X.onnx"))
  var features: String?

  func load(threads: Int) throws -> QualityNetworks {
    try QualityNetworks(lpips: lpips, features: features, threads: threads)
  }
}
