import ArgumentParser
import DiTCache

/// `ditcache rewrite`.
struct RewriteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rewrite",
    abstract: "Writes a cached form of a model that any ONNX runtime executes.",
    discussion: "Weights are referenced, never read: keep the output in the model's folder.")

  @Argument(help: "An ONNX file.")
  var model: String

  @Option(help: ArgumentHelp("A schedule file, or a name of the catalogue.", valueName: "FILE"))
  var schedule: String

  @Option(help: ArgumentHelp("A preset of the schedule.", valueName: "NAME"))
  var preset: String?

  @Option(
    name: .shortAndLong, help: ArgumentHelp("The file to write, or the folder.", valueName: "OUT"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "How cache nodes are written: if, static, split or function.", valueName: "FORM"))
  var form = "if"

  @Option(help: ArgumentHelp("State inputs: optional or required.", valueName: "STATE"))
  var state: String?

  @Option(
    help: ArgumentHelp(
      "onnxruntime, openvino, onnx, tensorrt, cuda-graphs, qnn, coreml or triton.",
      valueName: "RUNTIME"))
  var target: String?

  @Option(
    help: ArgumentHelp(
      "Writes a model repository for a server that keeps the state: triton.", valueName: "SERVER"))
  var serve: String?

  @Option(help: ArgumentHelp("Scheduler steps of a run.", valueName: "N"))
  var steps: Int?

  @Option(
    help: ArgumentHelp(
      "Noise levels of the run: decisions by them are taken beforehand.", valueName: "X.npz"))
  var levels: String?

  @Option(
    help: ArgumentHelp("The adapter, by name or file; recognised when left out.", valueName: "NAME")
  )
  var adapter: String?

  @Option(help: ArgumentHelp("Inputs for --check.", valueName: "X.npz"))
  var input: String?

  @Flag(help: "Runs original and cached model and compares them.")
  var check = false

  @Flag(help: "Plans and prices the rewrite, but writes nothing.")
  var dryRun = false

  @Flag(help: "Copies weight files beside an output in another folder.")
  var copyWeights = false

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions

  func run() throws {
    guard dryRun || output != nil else {
      throw UsageError(
        "no-output", at: "rewrite", "there is no file to write", hint: "pass -o OUT or --dry-run")
    }
    guard !check || !dryRun else {
      throw UsageError("check-needs-file", at: "--check", "a dry run writes no file to check")
    }
    guard input == nil || check else {
      throw UsageError(
        "input-without-check", at: "--input", "inputs are only used to check the file",
        hint: "pass --check as well")
    }
    let clock = ContinuousClock()
    let start = clock.now
    let model = try options.load(model)
    let rewrite = try RewriteTask(
      model: model, schedule: schedule, form: form, state: state, target: target, steps: steps,
      adapter: adapter, serve: serve, preset: preset, levels: levels)
    let staged =
      try dryRun
      ? nil
      : output.map {
        try rewrite.stage(to: $0, copyingWeights: copyWeights)
      }
    let seconds = Terminal.seconds(clock.now - start)
    let isSilent = options.json || options.quiet
    if !isSilent { printSummary(RewriteReport(rewrite, seconds: seconds), rewrite) }
    let checked =
      try check
      ? staged?.check(inputsPath: input, threads: try threads.count(), style: try threads.style())
      : nil
    if options.json {
      print(try JSONText.of(RewriteReport(rewrite, seconds: seconds, check: checked)))
    }
    for claim in checked?.claims ?? [] where !isSilent {
      print("check: \(claim.holds ? "holds" : "FAILS"): \(claim.text)")
    }
    if let checked, !checked.holds, let output {
      throw UsageError.checkFailed(
        "check-failed", at: output, "the cached model does not do what it should; it is not written"
      )
    }
    try staged?.commit()
    if !isSilent, let output, !dryRun {
      print("wrote \(output) in \(Terminal.decimal(seconds)) s")
    }
  }

  private func printSummary(_ report: RewriteReport, _ rewrite: RewriteTask) {
    print("schedule '\(report.schedule)' on \(rewrite.blockCount) blocks, \(report.steps) steps")
    let rows = report.sites.map { site in
      [
        site.name, site.blocks == 1 ? "1 block" : "\(site.blocks) blocks",
        site.computedSteps.map { "computes \($0)/\(report.steps) steps" }
          ?? "decides during the run",
        site.flops.map { "skips \(Terminal.scaled($0, unit: "FLOP"))" } ?? "",
      ]
    }
    print(Terminal.table([["site", "size", "schedule", "on a reused step"]] + rows))
    for note in report.notes { print("note: \(note)") }
    if let all = report.flopsComputed, let reused = report.flopsReused {
      print(
        "FLOPs of a computed step \(Terminal.scaled(all, unit: "FLOP")), of a reused step "
          + Terminal.scaled(reused, unit: "FLOP"))
    }
    if let predicted = report.predictedSpeedup {
      print("skipped FLOPs predict \(Terminal.decimal(predicted))x over the run")
    }
    if let bytes = report.stateBytes {
      print("state of one branch \(Terminal.scaled(bytes, unit: "B"))")
    }
    if let steps = report.breakEvenReuses { print("pays from reused step \(steps) on") }
    let changes = report.operatorChanges.sorted { $0.key < $1.key }
      .map { "\($0.key) \($0.value > 0 ? "+" : "")\($0.value)" }
    print("operators: " + changes.joined(separator: ", "))
    for entry in report.legalization {
      let bytes = entry.bytes.map { ", +\(Terminal.scaled($0, unit: "B"))" } ?? ""
      print("legalised: \(entry.text)\(entry.places > 0 ? bytes : "")")
      for reason in entry.declined { print("  left alone: \(reason)") }
    }
    for warning in report.warnings {
      Terminal.printWarning(
        "\(warning.rule) at \(warning.place): \(warning.message)"
          + (warning.source.map { " (\($0))" } ?? "")
          + (warning.instead.map { "; better: \($0)" } ?? ""))
    }
    for file in report.files { print("  \(file)") }
    if dryRun {
      print(
        "dry run: nothing written, \(Terminal.decimal(report.seconds)) s, peak memory "
          + Terminal.scaled(report.peakBytes, unit: "B"))
    }
  }
}
