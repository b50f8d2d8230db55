import CachePolicies
import Catalogue
import GraphIR
import ModelStructure
import OnnxFile
import Rewrite
import ScheduleLanguage
import TestSupport
import Testing
import TypeInference

/// A model of the corpus with its blocks.
struct KnownModel {
  let graph: Graph
  let structure: ModelStructure

  init(_ name: String) throws {
    var graph = try OnnxModel.read(Fixtures.corpus("\(name).onnx")).graph
    _ = try PassPipeline([InferTypes()]).run(on: &graph)
    self.graph = graph
    structure = ModelStructure(of: graph)
  }
}

/// Adapters that tests choose from.
enum KnownAdapters {
  /// Those of the catalogue.
  static func catalogue() throws -> [AdapterDescription] {
    try Catalogue.adapters.flatMap { try parsed($0.text) }
  }

  /// The one with a name.
  static func named(_ name: String) throws -> AdapterDescription {
    try #require(try catalogue().first { $0.name == name })
  }

  /// The adapters of a text.
  static func parsed(_ text: String) throws -> [AdapterDescription] {
    try ScheduleDocument.reading(SourceFile(path: "test.dcs", text: text), with: .standard).adapters
  }
}

extension Graph {
  /// The graph with an input under another name.
  func renaming(_ old: Name, to new: Name) throws -> Graph {
    var graph = self
    graph.rename(try #require(graph.value(named: old)), to: new)
    return graph
  }
}
