import ArgumentParser
import DiTCache

/// `ditcache sample`.
struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Denoises with a model, cached and uncached, and compares both.")

  @Argument(
    help: "An ONNX file, original or cached, or the folder of a form of several files.")
  var model: String

  @Option(
    help: ArgumentHelp("Caches the model first: a file or catalogue name.", valueName: "FILE"))
  var schedule: String?

  @Option(help: ArgumentHelp("A preset of the schedule.", valueName: "NAME"))
  var preset: String?

  @Option(
    help: ArgumentHelp("The adapter, by name or file; recognised when left out.", valueName: "NAME")
  )
  var adapter: String?

  @Option(
    help: ArgumentHelp(
      "Words of the prompt table beside the model, or a class.", valueName: "WORDS"))
  var prompt: String?

  @Option(
    help: ArgumentHelp(
      "The scheduler. When left out: the adapter's, with --inputs euler for unipc.",
      valueName: "euler|unipc|ddim"))
  var scheduler: String?

  @Option(
    help: ArgumentHelp(
      "Scheduler steps. When left out: the schedule's, else the adapter's.", valueName: "N"))
  var steps: Int?

  @Option(help: ArgumentHelp("Shift of the noise levels.", valueName: "S"))
  var shift: Double?

  @Option(help: ArgumentHelp("Guidance scale.", valueName: "G"))
  var guidance: Double?

  @Option(help: ArgumentHelp("Samples of the prompt, each with noise of its own.", valueName: "N"))
  var samples = 1

  @Option(help: ArgumentHelp("Seed of the noise.", valueName: "K"))
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp(
      "Noise, levels, embeddings and further inputs from a file.", valueName: "X.npz"))
  var inputs: String?

  @Option(help: ArgumentHelp("Where to write everything computed.", valueName: "R.npz"))
  var record: String?

  @Option(
    name: .shortAndLong, help: ArgumentHelp("A folder for pictures and latents.", valueName: "DIR"))
  var output: String?

  @Option(
    help: ArgumentHelp("Where to write a report that a browser shows.", valueName: "P.html"))
  var html: String?

  @Flag(help: "Does not run the uncached model for comparison.")
  var noBaseline = false

  @OptionGroup(title: "Two experts") var experts: ExpertOptions
  @OptionGroup(title: "Around the transformer") var pipeline: PipelineOptions
  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions

  func run() throws {
    let model = try options.load(model, orForm: true)
    var task = try SampleTask(
      model, lowNoise: try experts.lowNoise(options), schedule: schedule, preset: preset,
      adapter: adapter, steps: steps, inputsPath: inputs, threads: try threads.count(),
      memory: try threads.byteCount(), style: try threads.style())
    try pipeline.add(to: &task, options, threads)
    var request = SampleJob.Request()
    request.prompt = prompt
    request.promptIDsPath = pipeline.promptIds
    request.inputsPath = inputs
    try request.setScheduler(scheduler)
    request.steps = steps
    request.shift = shift
    request.guidance = guidance
    request.samples = samples
    request.seed = seed
    let bar = ProgressBar(quiet: options.quiet || options.json)
    let report = try task.run(
      request, comparing: !noBaseline, recordPath: record, folder: output, pagePath: html
    ) { bar.update($0, $1, $2) }
    for warning in report.warnings { Terminal.printWarning(warning) }
    if options.json {
      print(try JSONText.of(report))
    } else if !options.quiet {
      print(SampleSummary(report, isVerbose: options.verbose).text)
    }
  }
}
