import DiTCache
import Foundation
import GraphIR
import Interpreter
import OnnxFile
import Tensors
import TestSupport
import Testing
import TypeInference

@Suite("Models as they are opened") struct LoadedModelTests {
  @Test("an invalid Squeeze is repaired, and the report says so")
  func repairs() throws {
    let model = try LoadedModel(Fixtures.corpus("pixart.onnx"))
    let report = try InspectReport(model)
    #expect(report.defects.map(\.rule) == ["invalid-squeeze"])
    #expect(report.defects.map(\.repaired) == [true])
    #expect(report.operators["Squeeze"] == nil)
  }

  @Test(
    "inspect says what each runtime would need",
    arguments: [
      ("wan", [], [], []), ("hunyuan", ["where-on-bool"], [], []),
      ("wan_bf16", ["bfloat16-computation", "redundant-cast"], [], ["missing-kernel"]),
      ("hunyuan_opset23", ["where-on-bool", "broadcast-attention-mask"], [], []),
      ("wan_unopt", ["redundant-cast"], ["static-sequence"], []),
    ] as [(String, [String], [String], [String])])
  func targets(
    model: String, onnxRuntime: [String], openVINO: [String], onnx: [String]
  ) throws {
    let report = try InspectReport(LoadedModel(Fixtures.corpus("\(model).onnx")))
    let needs = report.targets.mapValues { $0.filter { $0.places > 0 }.map(\.rule) }
    #expect(needs == ["onnxruntime": onnxRuntime, "openvino": openVINO, "onnx": onnx])
  }

  @Test("a dimension that the model lacks is refused with those that it has")
  func unknownDimension() throws {
    let error = #expect(throws: UsageError.self) {
      try LoadedModel(Fixtures.corpus("wan_dyn.onnx"), dimensions: ["frames": 3])
    }
    #expect(error?.code == "unknown-dimension" && error?.place == "--dim frames")
    #expect(error?.hint?.contains("s25") ?? false)
  }

  @Test("sizes that contradict each other are refused with both")
  func contradiction() throws {
    let error = #expect(throws: DimensionError.self) {
      try LoadedModel(
        Fixtures.corpus("wan_dyn.onnx"), dimensions: ["hidden_states.0": 1, "timestep.0": 2])
    }
    #expect(error?.code == "dimension-conflict")
  }

  @Test("weights whose file is absent are random by seed, the same in every run")
  func randomWeights() throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "ditcache-random-\(UInt64.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let path = folder.appending(path: "wan_ext.onnx").path(percentEncoded: false)
    try FileManager.default.copyItem(atPath: Fixtures.corpus("wan_ext.onnx"), toPath: path)
    #expect(throws: (any Error).self) { try LoadedModel(path).file.requireWeights() }

    func output(seed: UInt64) throws -> [Float] {
      let model = try LoadedModel(path, randomWeightSeed: seed)
      let inputs = try RunJob.arrays(of: Fixtures.corpus("wan_ext.npz"), prefix: "in")
      return try #require(RunJob(threads: 2).run(model, inputs).values.first)
        .elements(as: Float.self)
    }
    let first = try output(seed: 1)
    #expect(first == (try output(seed: 1)))
    #expect(first != (try output(seed: 2)))
    #expect(first.filter { !$0.isFinite }.isEmpty)
  }
}
