import ArgumentParser
import DiTCache

/// What a set of runs has in common.
struct RunSetOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("The adapter, by name or file; recognised when left out.", valueName: "NAME")
  )
  var adapter: String?

  @Option(help: ArgumentHelp("A file with one prompt a line.", valueName: "FILE"))
  var prompts: String?

  @Option(help: ArgumentHelp("A prompt; may be repeated.", valueName: "WORDS"))
  var prompt: [String] = []

  @Option(
    help: ArgumentHelp("Seeds of the noise, such as 0,1,2 or 0-7.", valueName: "SEEDS"))
  var seeds = "0"

  @Option(
    help: ArgumentHelp("The scheduler; the adapter's when left out.", valueName: "euler|unipc|ddim")
  )
  var scheduler: String?

  @Option(
    help: ArgumentHelp(
      "Scheduler steps. When left out: those of the schedules, else the adapter's.",
      valueName: "N"))
  var steps: Int?

  @Option(help: ArgumentHelp("Shift of the noise levels.", valueName: "S"))
  var shift: Double?

  @Option(help: ArgumentHelp("Guidance scale.", valueName: "G"))
  var guidance: Double?

  @Option(
    help: ArgumentHelp(
      "Noise, levels and embeddings from a file, instead of prompts and seeds.",
      valueName: "X.npz"))
  var inputs: String?

  /// The runs that are asked for.
  func request() throws -> RunSet {
    guard inputs == nil || (prompts == nil && prompt.isEmpty) else {
      throw UsageError("inputs-and-prompts", at: "--inputs", "the file holds the text already")
    }
    var sample = SampleJob.Request()
    sample.inputsPath = inputs
    try sample.setScheduler(scheduler)
    sample.steps = steps
    sample.shift = shift
    sample.guidance = guidance
    return RunSet(
      sample: sample, prompts: try prompts.map { try PromptSet.read($0) + prompt } ?? prompt,
      seeds: try PromptSet.seeds(seeds, option: "--seeds"))
  }
}
