public import GraphIR
public import Tensors

/// What a denoising run starts from.
public struct SampleInputs: Sendable {
  /// Noise, (B, …).
  public var initialNoise: Tensor
  /// The noise levels.
  public var levels: NoiseLevels
  /// Conditional inputs by name, each with B or, for batched guidance, 2B samples.
  public var text: [Name: Tensor]
  /// Unconditional inputs by name; zeros where one is missing.
  public var unconditionalText: [Name: Tensor]
  /// Further inputs by name.
  public var extras: [Name: Tensor]
  /// The guidance scale, or nil for no guidance.
  public var guidanceScale: Double?

  /// Inputs made of their parts.
  public init(
    initialNoise: Tensor, levels: NoiseLevels, text: [Name: Tensor] = [:],
    unconditionalText: [Name: Tensor] = [:], extras: [Name: Tensor] = [:],
    guidanceScale: Double? = nil
  ) {
    self.initialNoise = initialNoise
    self.levels = levels
    self.text = text
    self.unconditionalText = unconditionalText
    self.extras = extras
    self.guidanceScale = guidanceScale
  }

  /// Reads the arrays of a file: `initial_noise` (B, …), `sigmas` (S + 1, last 0), `timesteps` (S),
  /// `text/<input>`, `text_uncond/<input>`, `extra/<input>`, `guidance_scale`.
  ///
  /// Other keys, such as a recording's `model_out`, are ignored.
  public init(arrays: [String: Tensor]) throws(DiffusionError) {
    guard let noise = arrays["initial_noise"], let sigmas = arrays["sigmas"] else {
      throw DiffusionError(
        "missing-array", at: "--inputs", "the file needs 'initial_noise' and 'sigmas'",
        hint: "it has \(arrays.keys.sorted().joined(separator: ", "))")
    }
    func named(_ prefix: String) -> [Name: Tensor] {
      var result: [Name: Tensor] = [:]
      for (key, tensor) in arrays where key.hasPrefix(prefix + "/") {
        result[Name(String(key.dropFirst(prefix.count + 1)))] = tensor
      }
      return result
    }
    let scale = try arrays["guidance_scale"].map { tensor throws(DiffusionError) in
      try tensor.numbers("guidance_scale")
    }
    self.init(
      initialNoise: noise,
      levels: try NoiseLevels(
        sigmas: try sigmas.numbers("sigmas"),
        timesteps: try arrays["timesteps"].map { tensor throws(DiffusionError) in
          try tensor.numbers("timesteps")
        }),
      text: named("text"), unconditionalText: named("text_uncond"), extras: named("extra"),
      guidanceScale: scale?.first)
  }

  /// The number of samples.
  public var sampleCount: Int { initialNoise.shape.dimensions.first ?? 1 }
}

extension Tensor {
  /// The elements of a float tensor in double precision.
  func numbers(_ place: String) throws(DiffusionError) -> [Double] {
    switch dataType {
    case .float32: return elements(as: Float.self).map(Double.init)
    case .float64: return elements(as: Double.self)
    default:
      if dataType != .bool, let integers = integers() { return integers.map(Double.init) }
      throw DiffusionError(
        "bad-array-type", at: place, "the array is \(dataType), numbers were expected")
    }
  }
}
