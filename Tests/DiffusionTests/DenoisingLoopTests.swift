import Adapters
import CacheContract
import Diffusion
import GraphIR
import Tensors
import Testing

@Suite("DenoisingLoop") struct DenoisingLoopTests {
  private let noise: [Float] = [4, -8]

  private func inputs(
    _ samples: [[Float]]? = nil, text: [[Float]] = [[3]], scale: Double? = nil
  ) throws -> SampleInputs {
    SampleInputs(
      initialNoise: try .rows(samples ?? [noise]), levels: try NoiseLevels(steps: 2, shift: 1),
      text: ["text": try .rows(text)], guidanceScale: scale)
  }

  @Test("each step adds the change of sigma times the velocity")
  func euler() throws {
    let model = try FakeModel(velocity: FakeModel.latents)
    var steps: [[Int]] = []
    let recording = try DenoisingLoop(model, roles: .fake()).run(try inputs()) {
      steps.append([$0, $1])
    }
    #expect(recording.branches == ["cond"])
    #expect(recording.latents.shape.dimensions == [3, 1, 2])
    #expect(recording.latents.elements(as: Float.self) == [4, -8, 2, -4, 1, -2])
    #expect(recording.modelOutputs.shape.dimensions == [2, 1, 1, 2])
    #expect(recording.modelOutputs.elements(as: Float.self) == [4, -8, 2, -4])
    #expect(recording.final.elements(as: Float.self) == [1, -2])
    #expect(model.fed("x") == [[4, -8], [2, -4]])
    #expect(model.fed("t") == [[1000], [500]])
    #expect(steps == [[1, 2], [2, 2]])
    #expect(recording.computed == nil && recording.metric == nil)
    #expect(recording.arrays.map(\.key) == ["model_out", "latents", "final"])
  }

  @Test("sequential guidance calls without text first and goes past the conditional output")
  func sequentialGuidance() throws {
    let model = try FakeModel(velocity: FakeModel.fromText)
    var sample = try inputs(text: [[3]], scale: 5)
    sample.unconditionalText = ["text": try .rows([[1]])]
    let recording = try DenoisingLoop(model, roles: .fake(.sequential)).run(sample)
    #expect(recording.branches == ["uncond", "cond"])
    #expect(model.fed("text") == [[1], [3], [1], [3]])
    #expect(recording.modelOutputs.elements(as: Float.self) == [1, 2, 3, 6, 1, 2, 3, 6])
    // 1 + 5 (3 − 1) = 11 and 2 + 5 (6 − 2) = 22, twice times −1/2.
    #expect(recording.final.elements(as: Float.self) == [4 - 11, -8 - 22])
  }

  @Test("text that has no unconditional counterpart is zeros in the unconditional call")
  func zeroText() throws {
    let model = try FakeModel(velocity: FakeModel.fromText)
    _ = try DenoisingLoop(model, roles: .fake(.sequential)).run(try inputs(scale: 2))
    #expect(model.fed("text") == [[0], [3], [0], [3]])
  }

  @Test("text with two rows a sample is guided in one call, unconditional half first")
  func batchedGuidance() throws {
    let model = try FakeModel(velocity: FakeModel.fromText)
    let sample = try inputs(text: [[1], [3]], scale: 5)
    let recording = try DenoisingLoop(model, roles: .fake(.sequential)).run(sample)
    #expect(recording.branches == ["batched"])
    #expect(model.fed("text") == [[1, 3], [1, 3]])
    #expect(model.fed("x")[0] == [4, -8, 4, -8])
    #expect(model.fed("t") == [[1000, 1000], [500, 500]])
    #expect(recording.modelOutputs.shape.dimensions == [2, 1, 2, 2])
    #expect(recording.final.elements(as: Float.self) == [4 - 11, -8 - 22])
  }

  @Test("two halves of text are fed one after another to a model of batch 1")
  func halvesInTurn() throws {
    let model = try FakeModel(batch: 1, velocity: FakeModel.fromText)
    let recording = try DenoisingLoop(model, roles: .fake(.batched)).run(
      try inputs(text: [[1], [3]], scale: 5))
    #expect(recording.branches == ["uncond", "cond"])
    #expect(model.fed("text") == [[1], [3], [1], [3]])
    #expect(recording.final.elements(as: Float.self) == [4 - 11, -8 - 22])
  }

  @Test("two halves of text without a scale are refused")
  func noScale() throws {
    let model = try FakeModel(velocity: FakeModel.fromText)
    let error = try #require(throws: DiffusionError.self) {
      try DenoisingLoop(model, roles: .fake()).run(try inputs(text: [[1], [3]]))
    }
    #expect(error.code == "no-guidance-scale")
  }

  @Test("samples are split into runs of the model's batch and joined again")
  func groups() throws {
    let model = try FakeModel(batch: 2, velocity: FakeModel.fromText)
    let sample = try inputs(
      [[0, 0], [1, 1], [2, 2], [3, 3]], text: [[1], [2], [3], [4]])
    var progress: [Int] = []
    let recording = try DenoisingLoop(model, roles: .fake()).run(sample) { done, _ in
      progress.append(done)
    }
    #expect(model.fed("text") == [[1, 2], [1, 2], [3, 4], [3, 4]])
    #expect(recording.latents.shape.dimensions == [3, 4, 2])
    #expect(recording.final.elements(as: Float.self) == [-1, -2, -1, -3, -1, -4, -1, -5])
    #expect(
      recording.modelOutputs.elements(as: Float.self)
        == [1, 2, 2, 4, 3, 6, 4, 8, 1, 2, 2, 4, 3, 6, 4, 8])
    #expect(progress == [1, 2, 3, 4])
    let error = try #require(throws: DiffusionError.self) {
      try DenoisingLoop(model, roles: .fake()).run(
        try inputs([[0, 0], [1, 1], [2, 2]], text: [[1], [2], [3]]))
    }
    #expect(error.code == "batch-mismatch")
  }

  @Test("embedded guidance is one call with the scale times the multiplier as an input")
  func embedded() throws {
    let model = try FakeModel(velocity: FakeModel.fromText)
    let roles = InputRoles.fake(.embedded(input: "g", multiplier: 1000), scale: 6)
    let recording = try DenoisingLoop(model, roles: roles).run(try inputs())
    #expect(recording.branches == ["cond"])
    #expect(model.fed("g") == [[6000], [6000]])
    _ = try DenoisingLoop(model, roles: roles).run(try inputs(scale: 2.5))
    #expect(model.fed("g").last == [2500])
    var given = try inputs()
    given.text["g"] = Tensor([Float(42)])
    _ = try DenoisingLoop(model, roles: roles).run(given)
    #expect(model.fed("g").last == [42])
  }

  @Test("further inputs follow their samples, doubled for batched guidance")
  func extras() throws {
    let model = try FakeModel(velocity: FakeModel.fromText)
    var sample = try inputs(text: [[1], [3]], scale: 5)
    sample.extras = ["image": try .rows([[7, 8, 9]])]
    _ = try DenoisingLoop(model, roles: .fake()).run(sample)
    #expect(model.fed("image")[0] == [7, 8, 9, 7, 8, 9])
    sample = try inputs()
    sample.extras = ["image": try .rows([[7]])]
    _ = try DenoisingLoop(model, roles: .fake()).run(sample)
    #expect(model.fed("image").last == [7])
  }

  @Test("a further input without a part for each sample goes to every call whole")
  func wholeExtras() throws {
    let model = try FakeModel(velocity: FakeModel.fromText)
    var sample = try inputs(text: [[1], [3]], scale: 5)
    sample.extras = ["positions": try .rows([[1, 2], [3, 4], [5, 6]])]
    _ = try DenoisingLoop(model, roles: .fake()).run(sample)
    #expect(model.fed("positions")[0] == [1, 2, 3, 4, 5, 6])
  }

  @Test("channels beside the latents follow them in every call and are not denoised")
  func channels() throws {
    let model = try FakeModel(velocity: { feeds in
      let wide = FakeModel.latents(feeds)
      return stride(from: 0, to: wide.count, by: 3).flatMap { [wide[$0 + 2], wide[$0 + 2]] }
    })
    var sample = try inputs([[4, -8], [0, 1]], text: [[1], [2], [3], [4]], scale: 1)
    sample.extras = ["x": try .rows([[7], [9]])]
    let recording = try DenoisingLoop(model, roles: .fake()).run(sample)
    #expect(model.fed("x")[0] == [4, -8, 7, 0, 1, 9, 4, -8, 7, 0, 1, 9])
    #expect(recording.latents.shape.dimensions == [3, 2, 2])
    #expect(recording.final.elements(as: Float.self) == [-3, -15, -9, -8])
  }

  @Test("a model that returns another number of values is refused")
  func outputShape() throws {
    let model = try FakeModel(velocity: { _ in [1, 2, 3, 4] })
    let error = try #require(throws: DiffusionError.self) {
      try DenoisingLoop(model, roles: .fake()).run(try inputs())
    }
    #expect(error.code == "output-shape")
  }
}
