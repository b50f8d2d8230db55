import CacheContract
import Diffusion
public import GraphIR
public import Interpreter
import OnnxFile
import Operators
import Quality
public import Tensors
import TensorFiles

/// Runs a model on arrays from a file.
public struct RunJob: Sendable {
  /// Threads to compute with.
  public var threads: Int
  /// Bytes that results may take.
  public var memory: Int
  /// Where to record what each node took.
  public var trace: TraceSink?
  /// How it is computed.
  public var style: ComputeStyle

  /// A job for a number of threads.
  public init(
    threads: Int = EngineOptions.availableThreads, memory: Int? = nil, trace: TraceSink? = nil,
    style: ComputeStyle = ComputeStyle()
  ) {
    self.style = style
    self.threads = threads
    self.memory = memory ?? EngineOptions.availableMemory
    self.trace = trace
  }

  /// The arrays of an archive by input name.
  ///
  /// With a `prefix`, only keys `<prefix>/<name>` are taken, without the prefix.
  public static func arrays(
    of path: String, prefix: String? = nil
  ) throws -> [Name: Tensor] {
    let archive = try NPZFile(readingFrom: path)
    var result: [Name: Tensor] = [:]
    for key in archive.keys {
      guard let prefix else {
        result[Name(key)] = try archive.tensor(key)
        continue
      }
      if key.hasPrefix(prefix + "/") {
        result[Name(String(key.dropFirst(prefix.count + 1)))] = try archive.tensor(key)
      }
    }
    return result
  }

  /// Runs the model once; feeds must have the sizes of dimensions that were fixed.
  ///
  /// Of a form of several files it is the call of `ditcache/step` (0 when left out): a branch's first
  /// one, on which everything computes, unless state is fed.
  public func run(_ model: LoadedModel, _ inputs: [Name: Tensor]) throws -> [Name: Tensor] {
    if !model.parts.isEmpty { return try runForm(model, inputs) }
    let engine = try engine(model)
    return try engine.run(try engine.converted(inputs), trace: trace)
  }

  /// The plan for inputs of certain shapes.
  func plan(_ model: LoadedModel, _ inputs: [Name: Tensor]) throws -> Plan {
    guard model.parts.isEmpty else {
      throw UsageError.unsupported(
        "form-has-many-plans", at: "--explain", "the model is several files, each with its plan",
        hint: "name one of them: \(model.parts.keys.sorted().joined(separator: ", "))")
    }
    return try engine(model).plan(for: inputs.mapValues(\.shape))
  }

  private func runForm(
    _ model: LoadedModel, _ inputs: [Name: Tensor]
  ) throws -> [Name: Tensor] {
    try model.requireWeights()
    let engine = try model.formEngine(style.options(threads: threads, memory: memory))
    let state = Set(engine.manifest.state.map { Name($0.input) })
    var bundle = StateBundle(engine.manifest)
    var feeds = try bundle.feeds(
      adding: inputs.filter { !$0.key.text.hasPrefix(ContractNames.prefix) }, step: 0)
    feeds[Name(ContractNames.begun)] = Tensor([inputs.keys.contains(where: state.contains)])
    feeds.merge(inputs) { $1 }
    var outputs = try engine.run(try engine.converted(feeds), trace: trace)
    outputs[Name(ContractNames.output(of: ContractNames.begun))] = nil
    return outputs
  }

  private func engine(_ model: LoadedModel) throws -> Engine {
    try model.file.requireWeights()
    return try Engine(model.measured, options: style.options(threads: threads, memory: memory))
  }

  /// One output compared with golden data.
  public struct Comparison: Sendable {
    /// The output.
    public let name: Name
    /// The greatest |ours − golden|; infinite when only one side is NaN.
    public let maximumDifference: Double
  }

  /// Runs the model on `in/…` of an archive and compares with its `out/…`.
  public func compare(_ model: LoadedModel, golden path: String) throws -> [Comparison] {
    let expected = try Self.arrays(of: path, prefix: "out")
    guard !expected.isEmpty else {
      throw UsageError(
        "no-golden-outputs", at: path, "the archive has no 'out/<graph output>'",
        category: .badModel)
    }
    let outputs = try run(model, try Self.arrays(of: path, prefix: "in"))
    return try expected.sorted { $0.key.text < $1.key.text }.map { name, tensor in
      guard let own = outputs[name] else {
        throw UsageError("unknown-output", at: "output '\(name)'", "the model has no such output")
      }
      let difference = try TensorDifference(
        of: try own.converted(to: .float32), from: try tensor.converted(to: .float32))
      return Comparison(name: name, maximumDifference: difference.maximumAbsoluteDifference)
    }
  }
}
