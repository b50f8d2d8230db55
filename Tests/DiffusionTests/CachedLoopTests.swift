import Adapters
import CacheContract
import Diffusion
import GraphIR
import Tensors
import Testing

/// The loop over a model that carries state and reports what it computed.
@Suite("DenoisingLoop with a cache") struct CachedLoopTests {
  private static let slot = Name("ditcache/r/all/sum")

  private static let manifest = Manifest(
    tool: "test", schedule: "every-2", steps: 2, originalDigest: "",
    rules: [.init(name: "r", table: [true, false])],
    sites: [.init(name: "all", rule: "r", blocks: 1, flops: nil)],
    state: [
      .init(
        input: slot.text, output: ContractNames.output(of: slot.text), dataType: "float32",
        shape: ["1"], isValidity: false)
    ],
    controls: [ContractNames.step, ContractNames.branch, ContractNames.override])

  /// A model that adds its text to its state and computes on even steps.
  private static func model(batch: Int? = nil) throws -> FakeModel {
    try FakeModel(batch: batch, velocity: FakeModel.fromText) { feeds in
      let held = feeds[slot]?.elements(as: Float.self).first ?? .nan
      let text = feeds["text"]?.elements(as: Float.self).first ?? .nan
      let step = feeds[Name(ContractNames.step)]?.elements(as: Int64.self).first ?? -1
      return [
        Name(ContractNames.output(of: slot.text)): Tensor([held + text]),
        Name(ContractNames.computed): Tensor([step % 2 == 0]),
        Name(ContractNames.metric): Tensor([Float(step) / 4]),
      ]
    }
  }

  private func inputs(_ count: Int, scale: Double? = nil, steps: Int = 2) throws -> SampleInputs {
    SampleInputs(
      initialNoise: try .rows([[Float]](repeating: [0, 0], count: count)),
      levels: try NoiseLevels(steps: steps, shift: 1),
      text: ["text": try .rows((0..<count).map { [Float($0 + 3)] })], guidanceScale: scale)
  }

  @Test("each branch of guidance has its own state and says which it is")
  func branches() throws {
    let model = try Self.model()
    let recording = try DenoisingLoop(
      model, roles: .fake(.sequential), manifest: Self.manifest
    ).run(try inputs(1, scale: 2), override: .compute)
    #expect(model.fed(Self.slot) == [[0], [0], [0], [3]])
    let branches = model.calls.map {
      $0[Name(ContractNames.branch)]?.elements(as: Int64.self) ?? []
    }
    #expect(branches == [[1], [0], [1], [0]])
    let overrides = model.calls.map {
      $0[Name(ContractNames.override)]?.elements(as: Int64.self) ?? []
    }
    #expect(overrides == [[1], [1], [1], [1]])
    #expect(recording.stateByteCount == 8)
  }

  @Test("each group of samples starts with empty state")
  func groups() throws {
    let model = try Self.model(batch: 1)
    _ = try DenoisingLoop(model, roles: .fake(), manifest: Self.manifest).run(try inputs(2))
    #expect(model.fed(Self.slot) == [[0], [3], [0], [4]])
  }

  @Test("what was computed, and the metrics, are recorded by step, branch and site")
  func report() throws {
    let recording = try DenoisingLoop(
      try Self.model(), roles: .fake(.sequential), manifest: Self.manifest
    ).run(try inputs(1, scale: 2))
    #expect(recording.computed?.shape.dimensions == [2, 2, 1])
    #expect(recording.computed?.elements(as: Bool.self) == [true, true, false, false])
    #expect(recording.metric?.elements(as: Float.self) == [0, 0, 0.25, 0.25])
    #expect(recording.computedFractions == [0.5])
    #expect(recording.arrays.map(\.key) == ["model_out", "latents", "final", "computed", "metric"])
  }

  @Test("a run of another length than the file was made for is refused with a way out")
  func stepCount() throws {
    let model = try Self.model()
    let error = try #require(throws: DiffusionError.self) {
      try DenoisingLoop(model, roles: .fake(), manifest: Self.manifest).run(
        try inputs(1, steps: 3))
    }
    #expect(error.code == "other-step-count")
    #expect(error.hint == "rewrite the model with --steps 3")
    #expect(model.calls.isEmpty)
  }

  @Test("a cached model that does not report is refused")
  func silent() throws {
    let model = try FakeModel(velocity: FakeModel.fromText)
    let error = try #require(throws: DiffusionError.self) {
      try DenoisingLoop(model, roles: .fake(), manifest: Self.manifest).run(try inputs(1))
    }
    #expect(error.code == "missing-report")
  }
}
