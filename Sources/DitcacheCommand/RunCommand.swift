import ArgumentParser
import DiTCache

/// `ditcache run`.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs a model once on arrays from an .npz file.",
    discussion: """
      Of a folder that `rewrite --form static` or `split` wrote, it runs one call: what the manifest \
      names for the 'ditcache/step' of the arrays, 0 when left out. Without state among the arrays \
      it is a branch's first call, and everything computes.
      """)

  @Argument(help: "An ONNX file, or the folder of a form of several files.")
  var model: String

  @Option(help: ArgumentHelp("Arrays by input name.", valueName: "X.npz"))
  var input: String?

  @Option(help: ArgumentHelp("Where to write the outputs.", valueName: "Y.npz"))
  var output: String?

  @Option(help: ArgumentHelp("Arrays in/… and out/… to compare with.", valueName: "G.npz"))
  var golden: String?

  @Option(help: ArgumentHelp("The greatest difference that passes.", valueName: "T"))
  var tolerance = 1e-4

  @Option(help: ArgumentHelp("Where to write a Chrome trace of all nodes.", valueName: "T.json"))
  var trace: String?

  @Flag(help: "Says which operators are fused, and why others are not.")
  var explain = false

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions

  func run() throws {
    guard (input == nil) != (golden == nil) else {
      throw UsageError(
        "bad-arguments", at: "run",
        input == nil
          ? "one of --input and --golden is needed" : "--input and --golden exclude each other",
        hint: "--golden takes an archive of in/<input> and out/<output>, --input one of inputs")
    }
    let task = RunTask(
      threads: try threads.count(), memory: try threads.byteCount(), tracePath: trace,
      style: try threads.style())
    let model = try options.load(model, orForm: true)
    if explain, let path = input ?? golden {
      for line in try task.explain(model, input: path, isGolden: golden != nil) { print(line) }
    }
    if let golden {
      try compare(model, golden, task)
    } else if let input {
      let report = try task.run(model, input: input, output: output)
      if options.json {
        print(try JSONText.of(report))
      } else if !options.quiet {
        print(
          Terminal.table(
            report.outputs.map { [$0.name, "\($0.dtype)[\($0.shape.joined(separator: ", "))]"] }))
        print("\(Terminal.decimal(report.seconds, 3)) s with \(report.threads) threads")
      }
    }
  }

  private func compare(_ model: LoadedModel, _ golden: String, _ task: RunTask) throws {
    let report = try task.compare(model, golden: golden, tolerance: tolerance)
    if options.json {
      print(try JSONText.of(report))
    } else if !options.quiet {
      for output in report.outputs {
        print("\(output.name): max |difference| \(output.maximumDifference)")
      }
    }
    guard report.passed else {
      throw UsageError.checkFailed(
        "golden-mismatch", at: golden,
        "the outputs differ by up to \(report.maximumDifference), more than \(tolerance)")
    }
  }
}
