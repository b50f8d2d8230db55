import ArgumentParser
import DiTCache

/// `ditcache bench`.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measures a model, and a schedule's effect on it.")

  @Argument(help: "An ONNX file.")
  var model: String

  @Option(help: ArgumentHelp("A schedule file, or a name of the catalogue.", valueName: "FILE"))
  var schedule: String?

  @Option(help: ArgumentHelp("Arrays by input name; seeded when left out.", valueName: "X.npz"))
  var input: String?

  @Option(
    name: .customLong("repeat"), help: ArgumentHelp("Runs to measure.", valueName: "K"))
  var repeats = 5

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions

  func run() throws {
    let task = try BenchTask(
      threads: try threads.count(), memory: try threads.byteCount(), style: try threads.style(),
      repeats: repeats)
    let report = try task.run(try options.load(model), input: input, schedule: schedule)
    if options.json { return print(try JSONText.of(report)) }
    if !options.quiet { print(report.hardware) }
    let spread = (report.seconds.max() ?? 0) - report.minimumSeconds
    var rows = [
      [
        "uncached", "\(Terminal.decimal(report.medianSeconds, 4)) s",
        "median of \(report.seconds.count), spread \(Terminal.decimal(spread, 4)) s, "
          + "\(report.threads) threads",
      ]
    ]
    if let gflops = report.gflops {
      rows.append(["rate", "\(Terminal.decimal(gflops, 1)) GFLOPS", ""])
    }
    let products = report.products
    rows.append([
      "products", products.kernels,
      "own kernels (\(products.level)) \(Terminal.decimal(products.ownGflops, 1)) GFLOPS a thread, "
        + "OpenBLAS (\(products.openBLASCore)) \(Terminal.decimal(products.openBLASGflops, 1))",
    ])
    if let cached = report.cached {
      let predicted = cached.predictedSpeedup.map { Terminal.decimal($0, 3) } ?? "unknown"
      rows.append([
        "speed-up", "\(Terminal.decimal(cached.measuredSpeedup, 3))",
        "over \(cached.seconds.count) steps of \(cached.schedule); skipped FLOPs predict "
          + predicted,
      ])
    }
    rows.append([
      "peak", Terminal.scaled(report.peakBytes, unit: "B"),
      "of the process; results took \(Terminal.scaled(report.resultPeakBytes, unit: "B"))",
    ])
    print(Terminal.table(rows))
  }
}
