import Adapters
public import CacheContract
public import GraphIR
public import Legalization
public import ModelStructure
public import OnnxFile
import Rewrite
import Tensors
import TypeInference

/// A model file, its graph with inferred types, and its blocks.
public struct LoadedModel: Sendable {
  /// The file.
  public let file: OnnxModel
  /// The graph as the file has it but for repaired defects, with every type that follows from it;
  /// free dimensions stay free.
  ///
  /// Operators that hide a residual addition are written out (`SkipNormalization`).
  public let graph: Graph
  /// The graph with the dimensions fixed that the caller gave; the same identifiers.
  public private(set) var measured: Graph
  /// Free dimensions that the caller fixed.
  public private(set) var dimensions: [String: Int]
  /// The model's own names of inputs, by role or by an adapter's names.
  public let roles: [String: String]
  /// The seed of weights whose file is absent, or nil.
  public let randomWeightSeed: UInt64?
  /// What was wrong with the file, and what was repaired.
  public let defects: [LegalizationReport]
  /// What the file was allowed.
  public let limits: OnnxLimits
  /// The blocks.
  public let structure: ModelStructure
  /// What a cached model says about itself; nil for an original.
  public let manifest: Manifest?
  /// The models of a form of several files, by file name; empty for a single file.
  let parts: [String: LoadedModel]
  /// The file, or of a form of several files where its original is or would be.
  public let path: String

  /// Reads a model.
  ///
  /// Weights are not read.
  ///
  /// - Parameters:
  ///   - path: an ONNX file
  ///   - dimensions: sizes of free dimensions, by symbol or `input.axis`
  ///   - roles: names of inputs whose names say nothing; of them the structure needs `latents`
  ///   - randomWeightSeed: a seed for weights whose file is absent; nil requires the file
  ///   - limits: what the file is allowed
  /// - Throws: `OnnxFileError`, `ContractError`, or `PassFailure` for dimensions that do not fit
  public init(
    _ path: String, dimensions: [String: Int] = [:], roles: [String: String] = [:],
    randomWeightSeed: UInt64? = nil, limits: OnnxLimits = .standard
  ) throws {
    try FormFolder.requireModel(path)
    let file = try OnnxModel.read(
      path, limits: limits, randomWeightSeed: randomWeightSeed)
    var graph = file.graph
    let manifest = try file.metadata(ContractNames.manifestKey).map { json throws(ContractError) in
      try Manifest(json: json)
    }
    try manifest?.restoreStatePairs(in: &graph)
    _ = try PassPipeline([RulePass(SkipNormalization()), InferTypes()]).run(on: &graph)
    defects = try Legalizer.run(ModelDefects.passes, on: &graph)
    if defects.contains(where: { !$0.report.changes.isEmpty }) {
      _ = try PassPipeline([InferTypes()]).run(on: &graph)
    }
    self.file = file
    parts = [:]
    self.path = file.path
    self.graph = graph
    measured = try Self.fixing(dimensions, in: graph)
    self.limits = limits
    self.dimensions = dimensions
    self.randomWeightSeed = randomWeightSeed
    self.manifest = manifest
    self.roles = roles
    structure = ModelStructure(of: graph, latents: try Self.input(roles["latents"], in: graph))
  }

  /// A form of several files; see `init(formAt:)`.
  init(
    parts: [String: LoadedModel], first: LoadedModel, manifest: Manifest, border: Graph,
    original: String, roles: [String: String]
  ) {
    self.parts = parts
    path = original
    file = first.file
    graph = border
    measured = border
    dimensions = [:]
    limits = first.limits
    randomWeightSeed = first.randomWeightSeed
    defects = []
    self.manifest = manifest
    self.roles = roles
    structure = ModelStructure(of: border, latents: nil)
  }

  private static func input(_ name: String?, in graph: Graph) throws -> ValueID? {
    guard let name else { return nil }
    guard let input = graph.inputs.first(where: { graph.name(of: $0).text == name }) else {
      let listed = graph.requiredInputs.map { "'\(graph.name(of: $0))'" }.joined(separator: ", ")
      throw UsageError(
        "unknown-input", at: "--role latents=\(name)", "the model has no input '\(name)'",
        hint: "its inputs are \(listed)")
    }
    return input
  }

  /// The model with the batch that its calls have for one sample, where that is free.
  func fixingBatch(adapter: String?) throws -> LoadedModel {
    let roles = try SampleJob(self, adapter: adapter, threads: 1).roles
    guard let input = measured.value(named: roles.latents),
      let batch = measured.tensorType(of: input)?.shape?.first, batch.value == nil
    else { return self }
    var fixed = self
    fixed.dimensions["\(roles.latents).0"] = roles.guidance == .batched ? 2 : 1
    fixed.measured = try Self.fixing(fixed.dimensions, in: graph)
    return fixed
  }

  /// A graph whose free dimensions are fixed, with the types that follow.
  static func fixing(_ dimensions: [String: Int], in graph: Graph) throws -> Graph {
    guard !dimensions.isEmpty else { return graph }
    var measured = graph
    var report = PassReport(pass: "infer-types")
    do {
      try InferTypes(bindings: dimensions).run(on: &measured, report: &report)
    } catch let error as DimensionError where error.code == "unknown-dimension" {
      throw UsageError(error.code, at: "--dim \(error.place)", error.message, hint: error.hint)
    }
    return measured
  }
}

extension LoadedModel {
  /// Refuses a cached model, and a file of one.
  func requireUncached() throws(UsageError) {
    if let manifest {
      throw UsageError(
        "already-cached", at: path,
        "the model is cached already, by schedule '\(manifest.schedule)'",
        hint: "`ditcache unwrap` gives the original back", category: .badModel)
    }
    guard file.metadata(FormFolder.partKey) == nil else {
      throw UsageError(
        "already-cached", at: path, "the file is a part of a cached model",
        hint: "'\(FormFolder.manifestName)' beside it names the original", category: .badModel)
    }
  }
}
