import GraphIR
import OnnxFile
import Tensors
import TestSupport
import Testing

/// Every export of the main job.
let exports = [
  "wan", "wan_dyn", "wan_ext", "wan_opset23", "wan_ts17", "hunyuan", "hunyuan_dyn", "hunyuan_ext",
  "hunyuan_opset23",
]

@Suite("Importing exports")
struct ImportTests {
  @Test("every export imports, keeps the rules, and delivers each weight", arguments: exports)
  func everyExportImports(_ name: String) throws {
    let model = try OnnxModel.read(Fixtures.corpus("\(name).onnx"))
    try model.graph.verify()
    #expect(model.graph.order.count > 500)
    try model.requireWeights()
    for value in model.graph.initializerOrder {
      let stored = try #require(model.graph.initializers[value])
      let tensor = try stored.load()
      #expect(tensor.shape == stored.shape)
      #expect(tensor.dataType == stored.dataType)
      #expect(UInt(bitPattern: tensor.base) % UInt(stored.dataType.byteCount) == 0)
    }
  }

  @Test("the graph holds what the file says")
  func graphHoldsWhatTheFileSays() throws {
    let model = try OnnxModel.read(Fixtures.corpus("wan.onnx"))
    #expect(model.irVersion == 10)
    #expect(model.opsets == ["": 20])
    #expect(model.producerName == "pytorch")
    #expect(model.metadata.isEmpty)
    let graph = model.graph
    #expect(graph.order.count == 824)
    #expect(graph.initializerOrder.count == 226)
    let node = graph[graph.order[100]]
    #expect(node.op == "Sub")
    #expect(node.name == "node_sub_1")
    #expect(node.origin == Origin(index: 100))
    #expect(node.scopes == ["", "blocks.0", "blocks.0.attn1", "sub_1"])
    #expect(node.inputs.map { $0.map { graph.name(of: $0) } } == ["mul_12", "mul_13"])
    let transposed = graph[graph.order[101]]
    guard case .ints([3, 1, 2, 0])? = transposed.attribute("perm") else {
      Issue.record("the permutation is \(String(describing: transposed.attribute("perm")))")
      return
    }
    let inputs = graph.inputs.map { "\(graph.name(of: $0)): \(graph.type(of: $0))" }
    #expect(
      inputs == [
        "hidden_states: float32[1, 4, 3, 8, 12]", "timestep: float32[1]",
        "encoder_hidden_states: float32[1, 7, 24]",
      ])
  }

  @Test("dynamic axes become symbols")
  func dynamicAxesBecomeSymbols() throws {
    let graph = try OnnxModel.read(Fixtures.corpus("wan_dyn.onnx")).graph
    let inputs = graph.inputs.map { "\(graph.name(of: $0)): \(graph.type(of: $0))" }
    #expect(
      inputs == [
        "hidden_states: float32[s47, 4, s33, 2*s25, 2*s56]", "timestep: float32[s47]",
        "encoder_hidden_states: float32[s47, s31, 24]",
      ])
  }

  @Test("the digest is that of the file")
  func digestIsThatOfTheFile() throws {
    let model = try OnnxModel.read(Fixtures.corpus("wan_ts17.onnx"))
    #expect(
      model.fileDigest == "a7efb4ee20ca9090862a81d69f6cc8fe5e212bd59e3d78f642c23b6b6f9ebebb")
  }

  @Test("the legacy exporter's names and an inline model's weights are there")
  func legacyNames() throws {
    let graph = try OnnxModel.read(Fixtures.corpus("wan_ts17.onnx")).graph
    let names = graph.order.prefix(400).map { graph[$0].name.text }
    #expect(names.contains { $0.hasPrefix("/blocks.0/attn1/") })
  }
}
