import Diffusion
import GraphIR
import Tensors
import Testing

@Suite("SampleInputs") struct SampleInputsTests {
  private let arrays: [String: Tensor] = [
    "initial_noise": Tensor([Float(1), 2], shape: .vector(2)),
    "sigmas": Tensor([Float(1), 0.5, 0]),
    "text/a/b": Tensor([Float(3)]), "text_uncond/a/b": Tensor([Float(4)]),
    "extra/image": Tensor([Float(5)]), "guidance_scale": Tensor(scalar: Float(6)),
    "model_out": Tensor([Float(7)]),
  ]

  @Test("keys of a file become roles; others are ignored")
  func keys() throws {
    let inputs = try SampleInputs(arrays: arrays)
    #expect(inputs.sampleCount == 2)
    #expect(inputs.levels.sigmas == [1, 0.5, 0])
    #expect(inputs.levels.timesteps == [1000, 500])
    #expect(inputs.text.mapValues { $0.elements(as: Float.self) } == ["a/b": [3]])
    #expect(inputs.unconditionalText.mapValues { $0.elements(as: Float.self) } == ["a/b": [4]])
    #expect(inputs.extras.mapValues { $0.elements(as: Float.self) } == ["image": [5]])
    #expect(inputs.guidanceScale == 6)
  }

  @Test("timesteps may be integers")
  func integers() throws {
    var arrays = arrays
    arrays["timesteps"] = Tensor([Int64(999), 500])
    #expect(try SampleInputs(arrays: arrays).levels.timesteps == [999, 500])
  }

  @Test("a file without noise or sigmas is refused with what it has")
  func missing() throws {
    for key in ["initial_noise", "sigmas"] {
      var arrays = arrays
      arrays[key] = nil
      let error = try #require(throws: DiffusionError.self) { try SampleInputs(arrays: arrays) }
      #expect(error.code == "missing-array")
      #expect(error.hint?.contains("extra/image, guidance_scale") == true)
    }
  }

  @Test("sigmas that are not numbers are refused")
  func wrongType() throws {
    var arrays = arrays
    arrays["sigmas"] = Tensor([true, false])
    let error = try #require(throws: DiffusionError.self) { try SampleInputs(arrays: arrays) }
    #expect(error.code == "bad-array-type")
  }
}
