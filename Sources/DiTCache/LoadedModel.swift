public import CacheContract
public import GraphIR
import Legalization
public import ModelStructure
public import OnnxFile
import Rewrite
import TypeInference

/// A model file, its graph with inferred types, and its blocks.
public struct LoadedModel: Sendable {
  /// The file.
  public let file: OnnxModel
  /// The graph of the file, with every type that follows from it; free dimensions stay free.
  ///
  /// Operators that hide a residual addition are written out (`SkipNormalization`).
  public let graph: Graph
  /// The graph with the dimensions fixed that the caller gave; the same identifiers.
  public let measured: Graph
  /// Free dimensions that the caller fixed.
  public let dimensions: [String: Int]
  /// The model's own names of inputs, by role or by an adapter's names.
  public let roles: [String: String]
  /// The blocks.
  public let structure: ModelStructure
  /// What a cached model says about itself; nil for an original.
  public let manifest: Manifest?

  /// Reads a model.
  ///
  /// Weights are not read. `dimensions` fixes free dimensions by symbol or `input.axis` for costs.
  /// `roles` names inputs of models whose names say nothing; of them the structure needs `latents`.
  public init(
    _ path: String, dimensions: [String: Int] = [:], roles: [String: String] = [:]
  ) throws {
    let file = try OnnxModel.read(path)
    var graph = file.graph
    let manifest = try file.metadata(ContractNames.manifestKey).map { json throws(ContractError) in
      try Manifest(json: json)
    }
    try manifest?.restoreStatePairs(in: &graph)
    self.file = file
    (self.graph, measured) = try Self.inferring(graph, dimensions)
    self.dimensions = dimensions
    self.manifest = manifest
    self.roles = roles
    structure = ModelStructure(
      of: self.graph, latents: try Self.input(roles["latents"], in: self.graph))
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

  /// A graph with its facts, once with free dimensions left free and once with them fixed.
  static func inferring(
    _ graph: Graph, _ dimensions: [String: Int]
  ) throws -> (free: Graph, measured: Graph) {
    var free = graph
    _ = try PassPipeline([RulePass(SkipNormalization()), InferTypes()]).run(on: &free)
    guard !dimensions.isEmpty else { return (free, free) }
    var measured = free
    _ = try PassPipeline([InferTypes(bindings: dimensions)]).run(on: &measured)
    return (free, measured)
  }
}
