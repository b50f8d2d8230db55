public import Adapters
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
  /// `extra/<latents input>` are channels that follow those of the latents in every call, such as the
  /// image latents and mask of image-to-video models.
  ///
  /// Other keys, such as a recording's `model_out`, are ignored.
  public init(arrays: [String: Tensor]) throws(DiffusionError) {
    guard let noise = arrays["initial_noise"] else {
      throw Self.missing("initial_noise", among: arrays)
    }
    func named(_ prefix: String) -> [Name: Tensor] {
      var result: [Name: Tensor] = [:]
      for (key, tensor) in arrays where key.hasPrefix(prefix) {
        result[Name(String(key.dropFirst(prefix.count)))] = tensor
      }
      return result
    }
    let scale = try arrays["guidance_scale"].map { tensor throws(DiffusionError) in
      try tensor.numbers("guidance_scale")
    }
    self.init(
      initialNoise: noise,
      levels: try Self.levels(of: arrays),
      text: named(Self.textPrefix), unconditionalText: named(Self.unconditionalPrefix),
      extras: named(Self.extraPrefix),
      guidanceScale: scale?.first)
  }

  /// The arrays of a file from which the same run starts, here or in another host.
  ///
  /// A guidance scale that is an input of the model is one of the text's.
  public func arrays(_ roles: InputRoles) -> [(key: String, tensor: Tensor)] {
    var (text, unconditional, scale) = (self.text, unconditionalText, guidanceScale)
    if case .embedded(let input, let multiplier) = roles.guidance {
      let number = Float((scale ?? roles.guidanceScale ?? 1) * multiplier)
      text[input] = text[input] ?? Tensor([Float](repeating: number, count: sampleCount))
      scale = nil
    }
    if scale != nil, let label = roles.classLabel, unconditional[label.input] == nil {
      let none = [Int64](repeating: Int64(label.none), count: sampleCount)
      unconditional[label.input] = Tensor(none)
    }
    var result = [
      ("initial_noise", initialNoise), ("sigmas", Tensor(levels.sigmas)),
      ("timesteps", Tensor(levels.timesteps)),
    ]
    for (prefix, tensors) in [
      (Self.textPrefix, text), (Self.unconditionalPrefix, unconditional),
      (Self.extraPrefix, extras),
    ] {
      result += tensors.map { (prefix + $0.key.text, $0.value) }.sorted { $0.0 < $1.0 }
    }
    if let scale { result.append(("guidance_scale", Tensor(scalar: Float(scale)))) }
    return result.map { (key: $0.0, tensor: $0.1) }
  }

  /// What stands before the names of further inputs.
  public static let extraPrefix = "extra/"

  /// Refuses keys of which none is an input's, because the file was meant for something else.
  public static func requireKnown(_ keys: some Sequence<String>) throws(DiffusionError) {
    let prefixes = [textPrefix, unconditionalPrefix, extraPrefix]
    let names = ["initial_noise", "sigmas", "timesteps", "guidance_scale"]
    guard
      !keys.contains(where: { key in
        names.contains(key) || prefixes.contains { key.hasPrefix($0) }
      })
    else { return }
    throw DiffusionError(
      "missing-array", at: "--inputs", "the file has none of the arrays of a denoising run",
      hint: "it has \(keys.sorted().joined(separator: ", "))")
  }

  private static let textPrefix = "text/"
  private static let unconditionalPrefix = "text_uncond/"

  /// The noise levels among the arrays of a file.
  public static func levels(of arrays: [String: Tensor]) throws(DiffusionError) -> NoiseLevels {
    guard let sigmas = arrays["sigmas"] else { throw missing("sigmas", among: arrays) }
    return try NoiseLevels(
      sigmas: try sigmas.numbers("sigmas"),
      timesteps: try arrays["timesteps"].map { tensor throws(DiffusionError) in
        try tensor.numbers("timesteps")
      })
  }

  private static func missing(_ key: String, among arrays: [String: Tensor]) -> DiffusionError {
    DiffusionError(
      "missing-array", at: "'\(key)'", "the file has no array '\(key)'",
      hint: "it has \(arrays.keys.sorted().joined(separator: ", "))")
  }

  /// The number of samples.
  public var sampleCount: Int { initialNoise.shape.dimensions.first ?? 1 }

  /// Whether a further input has a part for each sample; others, such as the positions of tokens,
  /// go to every call whole.
  func isPerSample(_ extra: Tensor) -> Bool { extra.shape.dimensions.first == sampleCount }
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
