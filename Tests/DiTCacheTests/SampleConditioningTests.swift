import Adapters
import DiTCache
import Diffusion
import Foundation
import GraphIR
import TensorFiles
import Tensors
import TestSupport
import Testing

@Suite("What sample feeds") struct SampleConditioningTests {
  /// A copy of an export in a folder with a table of `count` places and two words for each.
  private func model(
    _ name: String, in folder: TemporaryFolder, places count: Int, width: Int,
    table: String = "prompt_table"
  ) throws -> LoadedModel {
    let path = folder.path("\(name).onnx")
    try FileManager.default.copyItem(atPath: Fixtures.corpus("\(name).onnx"), toPath: path)
    let words = (0..<count).map { "k\($0):a k\($0):b\n" }.joined()
    try folder.write([UInt8](words.utf8), to: "\(table).txt")
    let rows = (0..<2 * count * width).map { Float($0 / width) }
    try NPY.write(
      Tensor(rows, shape: try Shape([2 * count, width])), to: folder.path("\(table).npy"))
    return try LoadedModel(path)
  }

  private let prompt = (0..<7).map { "k\($0):b" }.joined(separator: " ")

  @Test("HunyuanVideo gets the words, a mask of ones and the words' mean; guidance is an input")
  func hunyuan() throws {
    let folder = try TemporaryFolder()
    let job = try SampleJob(
      model("hunyuan", in: folder, places: 7, width: 32), threads: 2)
    var request = SampleJob.Request()
    request.prompt = prompt
    request.steps = 2
    let inputs = try job.inputs(request)
    let rows = (0..<7).map { Float(2 * $0 + 1) }
    #expect(
      inputs.text["encoder_hidden_states"]?.elements(as: Float.self)
        == rows.flatMap { [Float](repeating: $0, count: 32) })
    let mask = try #require(inputs.text["encoder_attention_mask"])
    #expect(mask.shape.dimensions == [1, 7])
    #expect(mask.elements(as: Int64.self) == [1, 1, 1, 1, 1, 1, 1])
    let pooled = try #require(inputs.text["pooled_projections"])
    #expect(pooled.shape.dimensions == [1, 32])
    #expect(pooled.elements(as: Float.self) == [Float](repeating: 7, count: 32))
    #expect(inputs.guidanceScale == 6)
    #expect(job.roles.guidance == .embedded(input: "guidance", multiplier: 1000))
  }

  @Test("an adapter beside the model says how it is sampled, and which table it shares")
  func adapterBesideTheModel() throws {
    let folder = try TemporaryFolder()
    let text = """
      adapter mine {
        latents hidden_states
        timestep timestep
        text encoder_hidden_states
        prompt_table shared_words
        guidance sequential
        guidance_scale 2.5
        shift 3
        scheduler ddim
        steps 9
      }

      """
    try folder.write([UInt8](text.utf8), to: "wan.adapter.dcs")
    let loaded = try model("wan", in: folder, places: 7, width: 24, table: "shared_words")
    let job = try SampleJob(loaded, threads: 2)
    var request = SampleJob.Request()
    request.prompt = prompt
    let inputs = try job.inputs(request)
    #expect(inputs.guidanceScale == 2.5 && inputs.levels.stepCount == 9)
    #expect(try job.scheduler(of: request) == .ddim)
    #expect(inputs.text["encoder_hidden_states"]?.shape.dimensions == [1, 7, 24])
    let named = try SampleJob(loaded, adapter: "wan", threads: 2)
    #expect(named.roles.guidanceScale == 5)
  }

  @Test("what a file of inputs lacks comes from the seed, the scheduler and the prompt")
  func partialFile() throws {
    let folder = try TemporaryFolder()
    let job = try SampleJob(model("wan", in: folder, places: 7, width: 24), threads: 2)
    var request = SampleJob.Request()
    request.prompt = prompt
    request.steps = 4
    request.seed = 3
    let whole = try job.inputs(request)
    let noise = try #require(job.model.graph.value(named: "hidden_states"))
    let sizes = try #require(job.model.graph.tensorType(of: noise)?.shape).compactMap(\.value)
    let own = Tensor(
      [Float](repeating: 0.5, count: sizes.reduce(1, *)), shape: try Shape(sizes))
    let path = folder.path("noise.npz")
    try NPZFile.write([("initial_noise", own)], to: path)
    request.inputsPath = path
    let inputs = try job.inputs(request)
    #expect(inputs.initialNoise.elements(as: Float.self) == own.elements(as: Float.self))
    #expect(inputs.levels == whole.levels && inputs.guidanceScale == whole.guidanceScale)
    #expect(
      inputs.text["encoder_hidden_states"]?.elements(as: Float.self)
        == whole.text["encoder_hidden_states"]?.elements(as: Float.self))
    #expect(try job.scheduler(of: request) == .unipc)
    try NPZFile.write([("in/hidden_states", own)], to: path)
    let error = try #require(throws: DiffusionError.self) { try job.inputs(request) }
    #expect(error.code == "missing-array" && error.hint == "it has in/hidden_states")
  }

  @Test("an image-to-video run with channels beside the latents is that of PyTorch")
  func imageToVideo() throws {
    let job = try SampleJob(try LoadedModel(Fixtures.path("pipeline/i2v.onnx")), threads: 2)
    var request = SampleJob.Request()
    request.inputsPath = Fixtures.path("pipeline/i2v.npz")
    let inputs = try job.inputs(request)
    let run = try job.run(job.model.graph, manifest: nil, inputs, comparing: false).run
    let due = try NPZFile(readingFrom: Fixtures.path("pipeline/i2v.npz")).tensor("final")
    #expect(run.branches == ["uncond", "cond"])
    #expect(run.final.shape == due.shape)
    let pairs = zip(run.final.elements(as: Float.self), due.elements(as: Float.self))
    #expect(pairs.allSatisfy { abs($0 - $1) <= 1e-4 })
  }

  @Test("noise from a seed has the channels that an image leaves to the latents")
  func noiseBesideAnImage() throws {
    let folder = try TemporaryFolder()
    let file = try NPZFile(readingFrom: Fixtures.path("pipeline/i2v.npz"))
    let keys = file.keys.filter { $0.hasPrefix("extra/") || $0.hasPrefix("text/") }
    let path = folder.path("image.npz")
    try NPZFile.write(try keys.map { ($0, try file.tensor($0)) }, to: path)
    let job = try SampleJob(try LoadedModel(Fixtures.path("pipeline/i2v.onnx")), threads: 2)
    var request = SampleJob.Request()
    request.inputsPath = path
    request.steps = 2
    request.samples = 2
    let inputs = try job.inputs(request)
    #expect(inputs.initialNoise.shape.dimensions == [2, 4, 2, 4, 6])
    #expect(inputs.extras["hidden_states"]?.shape.dimensions == [2, 5, 2, 4, 6])
    let wide = Tensor([Float](repeating: 0, count: 9), shape: try Shape([1, 9]))
    try NPZFile.write([("extra/hidden_states", wide)], to: path)
    let error = try #require(throws: UsageError.self) { try job.inputs(request) }
    #expect(error.code == "no-channels-left")
  }
}
