import GraphIR
import ModelStructure
import OnnxFile
import Rewrite
import TestSupport
import Testing
import TypeInference

/// The blocks of every export of the corpus, as golden text.
@Suite struct CorpusTests {
  static let models = [
    "cogvideox", "dit", "flux", "hunyuan", "hunyuan_bf16", "hunyuan_dyn", "hunyuan_ext",
    "hunyuan_fp16", "hunyuan_opset23", "hunyuan_stripped", "hunyuan_ts17", "ltx", "pixart", "wan",
    "wan_bf16", "wan_dyn", "wan_ext", "wan_fp16", "wan_opset18", "wan_opset23", "wan_stripped",
    "wan_ts17", "wan_ts17_dyn", "wan_unopt",
  ]

  /// Families with their sizes and the modules of their blocks.
  static let expected: [String: String] = [
    "wan": "blocks blocks[0-5] x1: self cross mlp",
    "hunyuan": """
    blocks transformer_blocks[0-1] x2: joint joint'1 mlp mlp'1
    blocks single_transformer_blocks[0-5] x1: parallel
    refiners context_embedder.token_refiner.refiner_blocks[0-0] x1: self mlp
    """,
    "hunyuan_stripped": """
    blocks blocks[0-1] x2: joint joint'1 mlp mlp'1
    blocks blocks_2[0-5] x1: parallel
    refiners refiner_blocks[0-0] x1: self mlp
    """,
    "flux": """
    blocks transformer_blocks[0-3] x2: joint mlp joint'1 mlp'1
    blocks single_transformer_blocks[0-5] x1: parallel
    """,
    // Nothing reads the text of the last block, so its mlp was not exported.
    "cogvideox": """
    blocks transformer_blocks[0-4] x2: joint joint'1 mlp mlp'1
    blocks transformer_blocks[5-5] x2: joint joint'1 mlp
    """,
    "dit": "blocks transformer_blocks[0-5] x1: self mlp",
    "ltx": "blocks transformer_blocks[0-5] x1: self cross mlp",
    "pixart": "blocks transformer_blocks[0-5] x1: self cross mlp",
  ]

  static func graph(_ model: String) throws -> Graph {
    var graph = try OnnxModel.read(Fixtures.corpus("\(model).onnx")).graph
    _ = try PassPipeline([InferTypes()]).run(on: &graph)
    return graph
  }

  @Test(arguments: models) func blocksAreFound(model: String) throws {
    let graph = try Self.graph(model)
    let structure = ModelStructure(of: graph)
    let golden = GoldenText.difference(of: structure.text(in: graph), from: "\(model).txt")
    #expect(golden == nil, "\(golden ?? "")")
    let kind = model.split(separator: "_").first.map(String.init) ?? model
    #expect(structure.summary == Self.expected[model] ?? Self.expected[kind])
    #expect(structure.notes.isEmpty)
  }

  @Test(arguments: models) func blocksAreFoundWithoutTypesToo(model: String) throws {
    let graph = try OnnxModel.read(Fixtures.corpus("\(model).onnx")).graph
    let kind = model.split(separator: "_").first.map(String.init) ?? model
    #expect(ModelStructure(of: graph).summary == Self.expected[model] ?? Self.expected[kind])
  }

  /// Without names: the same values, modules and streams, under default names.
  @Test(arguments: models.filter { !$0.hasSuffix("stripped") })
  func namesOnlyLabel(model: String) throws {
    var graph = try Self.graph(model)
    let named = ModelStructure(of: graph)
    for id in graph.order {
      var node = graph[id]
      node.name = ""
      node.scopes = []
      graph.replace(id, with: node)
    }
    let bare = ModelStructure(of: graph)
    for (a, b) in [
      (named.blocks, bare.blocks), (named.refiners, bare.refiners), (named.control, bare.control),
    ] {
      #expect(a.map(\.position) == b.map(\.position))
      #expect(a.map(\.streams) == b.map(\.streams))
      #expect(a.map { $0.modules.map(\.kind) } == b.map { $0.modules.map(\.kind) })
      #expect(a.map { $0.modules.map(\.output) } == b.map { $0.modules.map(\.output) })
      #expect(a.map(\.nodes) == b.map(\.nodes))
    }
    #expect(named.families.map(\.count) == bare.families.map(\.count))
  }

  @Test(arguments: models) func everyRunOfBlocksCanBeCut(model: String) throws {
    let graph = try Self.graph(model)
    let structure = ModelStructure(of: graph)
    let uses = UseIndex(graph)
    for first in structure.blocks.indices {
      for last in first..<structure.blocks.count
      where structure.blocks[first].family == structure.blocks[last].family {
        let run = try structure.cut(first...last, in: graph, uses: uses)
        #expect(run.nodes.count > 30 * (last - first + 1))
        try expectCuttable(run, in: graph)
      }
    }
  }

  @Test func tablesThatAllBlocksShareStayOutside() throws {
    let graph = try Self.graph("wan")
    let structure = ModelStructure(of: graph)
    let run = try structure.cut(0...0, in: graph, uses: UseIndex(graph))
    let inside = Set(run.nodes.flatMap { graph[$0].outputs.compactMap { $0 } })
    for name in ["slice_9", "slice_10"] {
      let shared = try #require(graph.value(named: Name(name)))
      #expect(!inside.contains(shared))
    }
  }
}
