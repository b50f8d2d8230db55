import CacheContract
package import Diffusion
import Foundation
import GraphIR
package import Interpreter
import ModelStructure
public import OnnxFile
import Tensors

extension LoadedModel {
  /// Reads a model in a form of several files: its folder, or the manifest in there.
  ///
  /// The graph has the inputs and outputs of all files together and no nodes; `engine` runs the
  /// files. Nil for a path that is neither.
  ///
  /// - Parameters:
  ///   - path: the folder or its `manifest.json`
  ///   - roles: names of inputs whose names say nothing
  ///   - randomWeightSeed: a seed for weights whose file is absent; nil requires the file
  ///   - limits: what each file is allowed
  /// - Throws: what reading a model throws, and `ContractError` for a manifest and files that do not
  ///   belong together
  public init?(
    formAt path: String, roles: [String: String] = [:], randomWeightSeed: UInt64? = nil,
    limits: OnnxLimits = .standard
  ) throws {
    guard let manifest = try FormFolder.manifest(at: path), let form = manifest.form else {
      return nil
    }
    let folder = FormFolder.folder(of: path)
    var parts: [String: LoadedModel] = [:]
    for part in form.graphs where parts[part.file] == nil {
      guard !part.file.contains("/"), !part.file.hasPrefix("."), !part.file.isEmpty else {
        throw ContractError(
          "broken-manifest", "the manifest names a file '\(part.file)', which is no plain name")
      }
      let model = try LoadedModel(
        "\(folder)/\(part.file)", randomWeightSeed: randomWeightSeed, limits: limits)
      guard model.file.metadata(FormFolder.partKey) == FormFolder.partWord(of: manifest) else {
        throw ContractError(
          "foreign-part", "'\(part.file)' is not of the model that the manifest beside it is of",
          hint: "write the folder again with `ditcache rewrite`")
      }
      parts[part.file] = model
    }
    guard let first = form.graphs.first.flatMap({ parts[$0.file] }) else {
      throw ContractError("broken-manifest", "the manifest of the form names no files")
    }
    self.init(
      parts: parts, first: first, manifest: manifest.asOneFile,
      border: Self.border(of: form, manifest, form.graphs.compactMap { parts[$0.file]?.graph }),
      original: FormFolder.original(form, in: folder), roles: roles)
  }

  /// The inputs and outputs of several graphs that share values by name.
  private static func border(of form: Form, _ manifest: Manifest, _ graphs: [Graph]) -> Graph {
    var border = Graph(
      name: graphs.first?.name ?? "", opsets: graphs.first?.opsets ?? [:])
    func type(_ name: String, _ values: (Graph) -> [ValueID]) -> ValueType? {
      for graph in graphs {
        guard let value = graph.value(named: Name(name)), values(graph).contains(value) else {
          continue
        }
        return graph.type(of: value)
      }
      return nil
    }
    for name in form.inputs {
      _ = border.addInput(Name(name), type: type(name, \.inputs) ?? .unknown)
    }
    let metric = type(ContractNames.metric, \.outputs) == nil ? [] : [ContractNames.metric]
    let reports = [ContractNames.computed] + metric
    for name in form.outputs + manifest.state.map(\.output) + reports {
      border.addOutput(border.makeValue(Name(name), type: type(name, \.outputs) ?? .unknown))
    }
    return border
  }

  /// What runs the model: `graph`, its own or a rewritten form of it, or the files of its form.
  func engine(_ graph: Graph, _ options: EngineOptions) throws -> any DenoisingEngine {
    guard !parts.isEmpty else { return try Engine(graph, options: options) }
    return try formEngine(options)
  }

  /// What runs the files of a form.
  package func formEngine(_ options: EngineOptions) throws -> FormEngine {
    guard let manifest else {
      throw UsageError(
        "no-form", at: path, "the model is not a form of several files", category: .internalFault)
    }
    return try FormEngine(
      manifest, engines: try parts.mapValues { try Engine($0.graph, options: options) })
  }

  /// Refuses a model whose weights are not all there.
  func requireWeights() throws {
    for model in parts.values { try model.file.requireWeights() }
    if parts.isEmpty { try file.requireWeights() }
  }

  /// FLOPs of one call of a form with every site computed; nil while a dimension is free.
  var formFlops: Int? {
    guard let form = manifest?.form else { return nil }
    let names =
      form.steps.map { $0.prefix(1).map { Optional($0) } }
      ?? (form.parts ?? []).map { $0.first ?? $0.file ?? $0.compute }
    return names.compactMap { $0 }.reduce(Optional(0)) { sum, name in
      guard let sum, let own = parts[name]?.flops else { return nil }
      let (total, overflow) = sum.addingReportingOverflow(own)
      return overflow ? nil : total
    }
  }
}
