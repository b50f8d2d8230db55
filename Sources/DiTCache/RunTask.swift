import GraphIR
import Interpreter
import OnnxFile
import TensorFiles
import Tensors

/// Runs a model as the command line asks for it.
public struct RunTask: Sendable {
  private let threads: Int
  private let memory: Int?
  private let tracePath: String?

  /// A task for a number of threads; `tracePath` names a Chrome trace to write.
  public init(threads: Int, memory: Int? = nil, tracePath: String? = nil) {
    self.threads = threads
    self.memory = memory
    self.tracePath = tracePath
  }

  /// Runs on the arrays of a file and writes the outputs; NumPy has no bfloat16, so that is written
  /// as float32.
  public func run(_ model: LoadedModel, input: String, output: String?) throws -> RunReport {
    if let output { try FolderPath.requireOther(output, than: input, model.file.path) }
    let sink = tracePath == nil ? nil : TraceSink()
    let job = RunJob(threads: threads, memory: memory, trace: sink)
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

  /// Compares with golden data.
  public func compare(
    _ model: LoadedModel, golden: String, tolerance: Double
  ) throws -> GoldenReport {
    let comparisons = try RunJob(threads: threads, memory: memory).compare(model, golden: golden)
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
