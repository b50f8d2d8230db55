import Adapters
import CacheContract
import Diffusion
import GraphIR
import Tensors
import Testing

@Suite("Two experts") struct ExpertTests {
  private static let slot = Name("ditcache/r/all/sum")

  private static func manifest(_ site: String = "all", steps: Int = 4) -> Manifest {
    Manifest(
      tool: "test", schedule: "all", steps: steps, originalDigest: "",
      rules: [.init(name: "r", table: [Bool](repeating: true, count: steps))],
      sites: [.init(name: site, rule: "r", blocks: 1, flops: nil)],
      state: [
        .init(
          input: slot.text, output: ContractNames.output(of: slot.text), dataType: "float32",
          shape: ["1"], isValidity: false)
      ],
      controls: [ContractNames.step])
  }

  /// A model whose velocity is its text times a factor; with a cache it counts its calls.
  private static func model(_ factor: Float) throws -> FakeModel {
    try FakeModel(velocity: { feeds in FakeModel.fromText(feeds).map { factor * $0 } }) { feeds in
      let held = feeds[slot]?.elements(as: Float.self).first ?? .nan
      return [
        Name(ContractNames.output(of: slot.text)): Tensor([held + 1]),
        Name(ContractNames.computed): Tensor([true]),
        Name(ContractNames.metric): Tensor([Float(0)]),
      ]
    }
  }

  private func inputs(scale: Double? = nil) throws -> SampleInputs {
    SampleInputs(
      initialNoise: try .rows([[4, -8]]), levels: try NoiseLevels(steps: 4, shift: 1),
      text: ["text": try .rows([[3]])], unconditionalText: ["text": try .rows([[1]])],
      guidanceScale: scale)
  }

  @Test("the first model runs at and above the boundary, the second below it")
  func boundary() throws {
    for (boundary, due) in [(0.75, 2), (0.7501, 1), (0, 4), (1, 1)] {
      let (high, low) = (try Self.model(1), try Self.model(10))
      var loop = DenoisingLoop(high, roles: .fake())
      loop.lowNoise = try LowNoiseExpert(low, boundary: boundary)
      let recording = try loop.run(try inputs())
      #expect(high.calls.count == due && low.calls.count == 4 - due)
      #expect(recording.experts == (0..<4).map { $0 < due ? 0 : 1 })
      #expect(recording.arrays.last?.key == "expert")
      #expect(recording.arrays.last?.tensor.elements(as: Int64.self).count == 4)
      // A quarter of the velocity 3, or of 30, a step.
      let change = Float(due) * 0.75 + Float(4 - due) * 7.5
      #expect(recording.final.elements(as: Float.self) == [4 - change, -8 - 2 * change])
      #expect(low.fed("t") == (due..<4).map { [Float(1000 - 250 * $0)] })
    }
  }

  @Test("each model has a guidance scale of its own")
  func guidance() throws {
    var loop = DenoisingLoop(try Self.model(1), roles: .fake(.sequential))
    loop.lowNoise = try LowNoiseExpert(try Self.model(1), boundary: 0.6, guidanceScale: 2)
    let recording = try loop.run(try inputs(scale: 5))
    // 1 + 5 (3 − 1) = 11 for two steps, 1 + 2 (3 − 1) = 5 for two more.
    #expect(recording.final.elements(as: Float.self).first == -4)
    let error = try #require(throws: DiffusionError.self) { try loop.run(try inputs()) }
    #expect(error.code == "no-guidance-scale")
  }

  @Test("each branch of each model starts with empty state, and counts the steps of the run")
  func state() throws {
    let (high, low) = (try Self.model(1), try Self.model(1))
    var loop = DenoisingLoop(high, roles: .fake(.sequential), manifest: Self.manifest())
    loop.lowNoise = try LowNoiseExpert(low, manifest: Self.manifest(), boundary: 0.6)
    let recording = try loop.run(try inputs(scale: 2))
    for (model, first) in [(high, 0), (low, 2)] {
      #expect(model.fed(Self.slot) == [[0], [0], [1], [1]])
      let steps = model.calls.map {
        $0[Name(ContractNames.step)]?.elements(as: Int64.self) ?? []
      }
      #expect(steps == [first, first, first + 1, first + 1].map { [Int64($0)] })
    }
    #expect(recording.computed?.shape.dimensions == [4, 2, 1])
    #expect(recording.stateByteCount == 16 && recording.branchStateByteCounts == [8, 8])
  }

  @Test("models that cannot take over from each other are refused before any call")
  func unlike() throws {
    let high = try Self.model(1)
    let cases: [(Manifest?, Manifest?, String)] = [
      (Self.manifest(), nil, "one of the two models is cached, the other is not"),
      (nil, Self.manifest(), "one of the two models is cached, the other is not"),
      (Self.manifest(), Self.manifest("other"), "the two models are cached at different sites"),
    ]
    for (own, other, message) in cases {
      var loop = DenoisingLoop(high, roles: .fake(), manifest: own)
      loop.lowNoise = try LowNoiseExpert(try Self.model(1), manifest: other)
      let error = try #require(throws: DiffusionError.self) { try loop.run(try inputs()) }
      #expect(error.code == "experts-differ" && error.message == message)
    }
    var loop = DenoisingLoop(high, roles: .fake(), manifest: Self.manifest())
    loop.lowNoise = try LowNoiseExpert(try Self.model(1), manifest: Self.manifest(steps: 5))
    let error = try #require(throws: DiffusionError.self) { try loop.run(try inputs()) }
    #expect(error.code == "other-step-count")
    #expect(high.calls.isEmpty)
    for boundary in [-0.1, 1.1, .nan] {
      #expect(throws: DiffusionError.self) { try LowNoiseExpert(high, boundary: boundary) }
    }
  }
}
