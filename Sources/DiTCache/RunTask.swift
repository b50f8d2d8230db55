import GraphIR
import Interpreter
import OnnxFile
import Rewrite
import TensorFiles
import Tensors

/// Runs a model as the command line asks for it.
public struct RunTask: Sendable {
  private let threads: Int
  private let memory: Int?
  private let tracePath: String?
  private let style: ComputeStyle

  /// A task for a number of threads; `tracePath` names a Chrome trace to write.
  public init(
    threads: Int, memory: Int? = nil, tracePath: String? = nil, style: ComputeStyle = ComputeStyle()
  ) {
    self.style = style
    self.threads = threads
    self.memory = memory
    self.tracePath = tracePath
  }

  /// Runs on the arrays of a file and writes the outputs; NumPy has no bfloat16, so that is written
  /// as float32.
  public func run(_ model: LoadedModel, input: String, output: String?) throws -> RunReport {
    if let output { try FolderPath.requireOther(output, than: input, model.path) }
    let sink = tracePath == nil ? nil : TraceSink()
    let job = RunJob(threads: threads, memory: memory, trace: sink, style: style)
    let clock = ContinuousClock()
    let start = clock.now
    let arrays = try RunJob.arrays(of: input)
    if let key = arrays.keys.first(where: { $0.text.hasPrefix("in/") }) {
      throw UsageError(
        "golden-as-input", at: input, "the archive has '\(key)', so it is golden data",
        hint: "pass it as --golden, or rename its arrays to the names of the inputs")
    }
    let outputs = try job.run(model, arrays)
    let duration = (clock.now - start).components
    let ordered = model.graph.outputs.map { model.graph.name(of: $0) }
    if let output {
      try NPZFile.write(
        try ordered.compactMap { name in
          try outputs[name].map {
            (name.text, $0.dataType == .bfloat16 ? try $0.asFloat32() : $0)
          }
        }, to: output)
    }
    if let tracePath, let sink { try ScheduleTexts.replace(tracePath, with: sink.chromeTrace()) }
    return RunReport(
      outputs: ordered.compactMap { name in
        outputs[name].map {
          InspectReport.PortReport(
            name: name.description, dtype: "\($0.dataType)",
            shape: $0.shape.dimensions.map(String.init))
        }
      }, seconds: Double(duration.seconds) + Double(duration.attoseconds) / 1e18,
      threads: threads)
  }

  /// What planning for the arrays of a file does: one line for each fusion and each near miss, then
  /// counts.
  public func explain(_ model: LoadedModel, input: String, isGolden: Bool) throws -> [String] {
    let arrays = try RunJob.arrays(of: input, prefix: isGolden ? "in" : nil)
    let plan = try RunJob(threads: threads, memory: memory, style: style).plan(model, arrays)
    var lines: [String] = []
    for report in plan.fusions {
      lines += report.changes.map { "\(report.pass): \($0.place): \($0.message)" }
      lines += report.declined.map { "\(report.pass): not \($0.place): \($0.message)" }
    }
    let statistics = plan.statistics
    lines.append(
      "\(statistics.stepCount) steps, \(statistics.foldedNodeCount) nodes folded, "
        + "\(statistics.removedNodeCount) removed, \(statistics.constantByteCount) bytes of constants"
    )
    let peak = statistics.predictedPeakByteCount.map { "\($0) bytes" } ?? "as much as data asks for"
    lines.append("results will take \(peak) at most")
    return lines
  }

  /// Compares with golden data.
  public func compare(
    _ model: LoadedModel, golden: String, tolerance: Double
  ) throws -> GoldenReport {
    let comparisons = try RunJob(threads: threads, memory: memory, style: style)
      .compare(model, golden: golden)
    let worst = comparisons.map(\.maximumDifference).max() ?? .infinity
    return GoldenReport(
      outputs: comparisons.map {
        .init(name: $0.name.description, maximumDifference: $0.maximumDifference.encodable)
      }, maximumDifference: worst.encodable, passed: worst <= tolerance)
  }
}

extension Double {
  /// The number, or the greatest finite one where JSON has none.
  fileprivate var encodable: Double { isFinite ? self : .greatestFiniteMagnitude }
}
