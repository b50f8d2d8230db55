import Foundation
import GraphIR
import Interpreter
import ModelStructure
import OnnxFile
import Profiling
import Rewrite
import TensorFiles
import Tensors
import TestSupport
import Testing
import TypeInference

/// The loops that sum attention against attention matrices that the same models give away.
@Suite struct AttentionProbeTests {
  struct Probed {
    let probe: AttentionProbe
    let graph: Graph
    let feeds: [Name: Tensor]

    init(_ name: String, tileElements: Int? = nil) throws {
      var graph = try OnnxModel.read(Fixtures.corpus("\(name).onnx")).graph
      _ = try PassPipeline([InferTypes()]).run(on: &graph)
      let structure = ModelStructure(of: graph)
      let grid = try TokenGrid(of: graph, structure: structure, latents: "hidden_states")
      #expect(grid == TokenGrid(frames: 3, rows: 4, columns: 6))
      probe = try AttentionProbe(
        graph, structure: structure, tokens: grid, tileElements: tileElements)
      self.graph = graph
      let golden = try NPZFile(readingFrom: Fixtures.corpus("\(name).npz"))
      var feeds: [Name: Tensor] = [:]
      for key in golden.keys where key.hasPrefix("in/") {
        feeds[Name(String(key.dropFirst(3)))] = try golden.tensor(key)
      }
      self.feeds = feeds
    }

    func received(fused: Bool = true) throws -> [[Float]] {
      let results = try Engine(probe.graph, options: EngineOptions(fusesOperators: fused))
        .run(feeds)
      return try probe.blocks.map {
        try #require(results[$0.output]).elements(as: Float.self)
      }
    }
  }

  /// Column means of every softmax of as many queries as keys, in execution order; other numbers of
  /// keys than those of the blocks are the text's own attention.
  private func columnMeans(
    _ graph: Graph, _ feeds: [Name: Tensor], keys tokenCount: Int
  ) throws -> [[Double]] {
    var graph = graph
    let weights = graph.order.filter { graph[$0].op == "Softmax" }
      .compactMap { graph[$0].outputs[0] }
    for value in weights { graph.addOutput(value) }
    let names = weights.map { graph.name(of: $0) }
    let results = try Engine(graph, options: EngineOptions(fusesOperators: false)).run(feeds)
    return try names.compactMap { name -> [Double]? in
      let matrix = try #require(results[name])
      let keys = matrix.shape[matrix.rank - 1]
      guard keys == tokenCount, matrix.shape[matrix.rank - 2] == keys else { return nil }
      var sums = [Double](repeating: 0, count: keys)
      for (index, weight) in matrix.contiguous().elements(as: Float.self).enumerated() {
        sums[index % keys] += Double(weight)
      }
      let rows = Double(matrix.elementCount / keys)
      return sums.map { $0 / rows }
    }
  }

  private func distance(_ a: [[Float]], _ b: [[Double]]) -> Double {
    guard a.map(\.count) == b.map(\.count) else { return .infinity }
    return zip(a.joined(), b.joined()).map { abs(Double($0) - $1) }.max() ?? .infinity
  }

  @Test(arguments: ["wan", "wan_ts17", "hunyuan", "hunyuan_ts17"])
  func sumsAreThoseOfTheWholeMatrices(name: String) throws {
    let probed = try Probed(name)
    #expect(probed.probe.skipped.isEmpty)
    let tokenCount = try #require(probed.probe.blocks.first).tokenCount
    let expected = try columnMeans(probed.graph, probed.feeds, keys: tokenCount)
    for fused in [false, true] {
      let ours = distance(try probed.received(fused: fused), expected)
      #expect(ours < 1e-7, "\(ours)")
    }
  }

  @Test(arguments: ["wan", "hunyuan"]) func tilesOfAnySizeGiveTheSameSums(name: String) throws {
    let whole = try Probed(name).received()
    // One row of queries; a number of rows that does not divide them.
    for tileElements in [1, 5 * 79 * 4] {
      let tiled = try Probed(name, tileElements: tileElements).received()
      #expect(distance(tiled, whole.map { $0.map(Double.init) }) < 1e-7)
    }
  }

  @Test(arguments: ["wan", "hunyuan"])
  func attentionOperatorsGiveTheSumsOfTheirDecomposition(name: String) throws {
    let whole = try Probed(name).received()
    let fused = try Probed("\(name)_opset23", tileElements: 1000).received()
    #expect(distance(fused, whole.map { $0.map(Double.init) }) < 1e-6)
  }

  @Test func everyBlockSumsToOneAndKnowsItsLatents() throws {
    let wan = try Probed("wan")
    #expect(wan.probe.blocks.count == 6)
    #expect(wan.probe.blocks.allSatisfy { $0.latentTokens == 0..<72 && $0.tokenCount == 72 })
    let hunyuan = try Probed("hunyuan")
    #expect(hunyuan.probe.blocks.count == 8)
    #expect(hunyuan.probe.blocks.allSatisfy { $0.latentTokens == 0..<72 && $0.tokenCount == 79 })
    for sums in try hunyuan.received() { #expect(abs(sums.reduce(0, +) - 1) < 1e-5) }
  }

  @Test func theModelsOwnOutputsAreUntouched() throws {
    let probed = try Probed("wan")
    let own = try Engine(probed.graph).run(probed.feeds)
    let results = try Engine(probed.probe.graph).run(probed.feeds)
    for (name, tensor) in own {
      #expect(results[name]?.elements(as: Float.self) == tensor.elements(as: Float.self))
    }
  }

  @Test func otherLayoutsOfLatentsAreFoundOrGiven() throws {
    func find(_ name: String, _ given: TokenGrid? = nil) throws -> (TokenGrid, LatentLayout) {
      var graph = try OnnxModel.read(Fixtures.corpus("\(name).onnx")).graph
      _ = try PassPipeline([InferTypes()]).run(on: &graph)
      let found = try TokenGrid.find(
        in: graph, structure: ModelStructure(of: graph), latents: "hidden_states", given: given)
      return (found.grid, found.layout)
    }
    let video = TokenGrid(frames: 3, rows: 4, columns: 6)
    #expect(try find("cogvideox") == (video, .framesFirst))
    #expect(try find("wan") == (video, .channelsFirst))
    #expect(try find("wan", video) == (video, .channelsFirst))
    #expect(try find("ltx", video) == (video, .packed(video)))
    for (name, given, code) in [
      ("ltx", nil, "packed-latents"),
      ("wan", TokenGrid(frames: 3, rows: 6, columns: 4), "no-token-grid"),
      ("flux", video, "bad-grid"),
    ] as [(String, TokenGrid?, String)] {
      let error = #expect(throws: ProfilingError.self) { try find(name, given) }
      #expect(error?.code == code)
    }
    let packed = Tensor((0..<12).map(Float.init), shape: try Shape([6, 2]))
    let planes = try LatentLayout.packed(TokenGrid(frames: 1, rows: 2, columns: 3)).planes(packed)
    #expect(planes.shape == (try Shape([2, 1, 2, 3])))
    #expect(planes.elements(as: Float.self) == [0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11])
  }

  @Test func aModelWithoutKnownSizesIsRefused() throws {
    var graph = try OnnxModel.read(Fixtures.corpus("wan_dyn.onnx")).graph
    _ = try PassPipeline([InferTypes()]).run(on: &graph)
    let structure = ModelStructure(of: graph)
    let error = #expect(throws: ProfilingError.self) {
      try TokenGrid(of: graph, structure: structure, latents: "hidden_states")
    }
    #expect(error?.code == "free-dimensions")
  }
}
