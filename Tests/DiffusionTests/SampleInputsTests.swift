import Adapters
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

  @Test("the arrays of inputs are a file from which the same run starts")
  func roundTrip() throws {
    let inputs = try SampleInputs(arrays: arrays)
    let roles = InputRoles(latents: "x", timestep: "t", text: ["a/b"], guidance: .sequential)
    let written = inputs.arrays(roles)
    #expect(
      written.map(\.key) == [
        "initial_noise", "sigmas", "timesteps", "text/a/b", "text_uncond/a/b", "extra/image",
        "guidance_scale",
      ])
    let again = try SampleInputs(
      arrays: Dictionary(uniqueKeysWithValues: written.map { ($0.key, $0.tensor) }))
    #expect(again.levels == inputs.levels && again.guidanceScale == 6)
    #expect(again.arrays(roles).map(\.key) == written.map(\.key))
  }

  @Test("a scale that is an input of the model, and the empty class, are written as text")
  func written() throws {
    var inputs = try SampleInputs(arrays: arrays)
    inputs.text = ["class": Tensor([Int64(3), 4])]
    let distilled = InputRoles(
      latents: "x", timestep: "t", guidance: .embedded(input: "g", multiplier: 1000))
    let classes = InputRoles(
      latents: "x", timestep: "t", classLabel: .init(input: "class", none: 9),
      guidance: .sequential)
    func array(_ key: String, _ roles: InputRoles) -> Tensor? {
      inputs.arrays(roles).first { $0.key == key }?.tensor
    }
    #expect(array("text/g", distilled)?.elements(as: Float.self) == [6000, 6000])
    #expect(array("guidance_scale", distilled) == nil)
    #expect(array("text_uncond/class", classes)?.elements(as: Int64.self) == [9, 9])
    #expect(array("guidance_scale", classes)?.elements(as: Float.self) == [6])
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
