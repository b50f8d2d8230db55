import GraphIR
import ModelStructure
import OnnxFile
import Rewrite
import TestSupport
import Testing
import TypeInference

/// The blocks of every main-job export, as golden text.
@Suite struct CorpusTests {
  static let models = [
    "wan", "wan_dyn", "wan_opset23", "wan_ts17", "wan_ext", "hunyuan", "hunyuan_dyn",
    "hunyuan_opset23", "hunyuan_ext",
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
    if model.hasPrefix("wan") {
      #expect(structure.families.map(\.name) == ["blocks"])
      #expect(structure.blocks.map(\.index) == Array(0..<6))
      for block in structure.blocks {
        #expect(block.modules.map(\.kind) == [.selfAttention, .crossAttention, .mlp])
      }
    } else {
      #expect(
        structure.families.map(\.name) == ["transformer_blocks", "single_transformer_blocks"])
      #expect(structure.families.map(\.count) == [2, 6])
      #expect(structure.refiners.allSatisfy { $0.family.hasSuffix("refiner_blocks") })
      #expect(!structure.refiners.isEmpty)
    }
  }

  @Test(arguments: models) func everyRunOfBlocksCanBeCut(model: String) throws {
    let graph = try Self.graph(model)
    let structure = ModelStructure(of: graph)
    let uses = UseIndex(graph)
    for first in structure.blocks.indices {
      for last in first..<structure.blocks.count
      where structure.blocks[first].family == structure.blocks[last].family {
        let run = try structure.cut(first...last, in: graph, uses: uses)
        #expect(run.nodes.count > 50 * (last - first + 1))
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
