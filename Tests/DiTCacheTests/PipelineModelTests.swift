import DiTCache
import Diffusion
import GraphIR
import TensorFiles
import Tensors
import TestSupport
import Testing

@Suite("Models around the transformer") struct PipelineModelTests {
  private func decoder(mean: String? = nil, std: String? = nil) throws -> LatentDecoder {
    LatentDecoder(
      try LoadedModel(Fixtures.path("pipeline/vae.onnx")),
      scaling: try LatentDecoder.Scaling(mean: mean, deviation: std), threads: 2)
  }

  private func distance(_ a: Tensor, _ b: Tensor) -> Float {
    zip(a.elements(as: Float.self), b.elements(as: Float.self)).reduce(0) {
      max($0, abs($1.0 - $1.1))
    }
  }

  @Test("a decoder makes of scaled latents the pixels that PyTorch makes, sample by sample")
  func decoding() throws {
    let file = try NPZFile(readingFrom: Fixtures.path("pipeline/vae.npz"))
    let pixels = try decoder(mean: "0.1, -0.2, 0.3, 0", std: "1.5,0.5,2,1")
      .pixels(of: file.tensor("latents"))
    let due = try file.tensor("pixels")
    #expect(pixels.shape == due.shape)
    #expect(due.shape.dimensions == [2, 3, 3, 8, 12])
    #expect(distance(pixels, due) <= 1e-4)
    let unscaled = try decoder().pixels(of: file.tensor("latents"))
    #expect(distance(unscaled, due) > 0.01)
  }

  @Test("numbers that do not fit the channels, and models of another kind, are refused")
  func notADecoder() throws {
    let latents = try NPZFile(readingFrom: Fixtures.path("pipeline/vae.npz")).tensor("latents")
    for (mean, std) in [("1,2", nil), (nil, "1,2,3,4,5")] as [(String?, String?)] {
      let error = try #require(throws: UsageError.self) {
        try decoder(mean: mean, std: std).pixels(of: latents)
      }
      #expect(error.code == "bad-number")
    }
    for text in ["", "1,", "one", "1,nan"] {
      #expect(throws: UsageError.self) { try LatentDecoder.Scaling(mean: text) }
    }
    let wan = LatentDecoder(
      try LoadedModel(Fixtures.corpus("wan.onnx")), scaling: try LatentDecoder.Scaling(),
      threads: 2)
    let error = try #require(throws: UsageError.self) { try wan.pixels(of: latents) }
    #expect(error.code == "not-a-decoder")
    let flat = latents.view(shape: try Shape([2, 192]), strides: [192, 1])
    #expect(throws: UsageError.self) { try decoder().pixels(of: flat) }
  }

  @Test("a text encoder's embeddings are those of PyTorch, zero where there is padding")
  func encoding() throws {
    var job = try SampleJob(try LoadedModel(Fixtures.path("pipeline/i2v.onnx")), threads: 2)
    let path = Fixtures.path("pipeline/text.npz")
    let folder = try TemporaryFolder()
    let file = try NPZFile(readingFrom: path)
    let ids = folder.path("ids.npz")
    let keys = file.keys.filter { $0 != "embeddings" }
    try NPZFile.write(try keys.map { ($0, try file.tensor($0)) }, to: ids)
    var request = SampleJob.Request()
    request.promptIDsPath = ids
    request.steps = 2
    let missing = try #require(throws: UsageError.self) { try job.inputs(request) }
    #expect(missing.code == "no-text-encoder")
    job.textEncoder = TextEncoder(
      try LoadedModel(Fixtures.path("pipeline/text.onnx")), threads: 2)
    let inputs = try job.inputs(request)
    let due = try file.tensor("embeddings").elements(as: Float.self)
    let own = try [inputs.text, inputs.unconditionalText].flatMap {
      try #require($0["encoder_hidden_states"]).elements(as: Float.self)
    }
    #expect(own.count == due.count)
    #expect(zip(own, due).allSatisfy { abs($0 - $1) <= 1e-4 })
    #expect(due.suffix(6 * 16).allSatisfy { $0 == 0 })
  }
}
