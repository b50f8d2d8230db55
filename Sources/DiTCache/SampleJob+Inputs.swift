import Adapters
public import Diffusion
import Foundation
import GraphIR
import TensorFiles
import Tensors

extension SampleJob {
  /// The scheduler of a request: its own, else the adapter's, else Euler.
  ///
  /// Levels from a file are followed by Euler steps where the adapter says UniPC, because recorded
  /// trajectories and hosts in other runtimes take those.
  ///
  /// - Throws: `UsageError` when the adapter's scheduler is not built in
  public func scheduler(of request: Request) throws -> SchedulerName {
    if let own = request.scheduler { return try fitting(own) }
    let name = roles.scheduler ?? SchedulerName.euler.rawValue
    guard let usual = SchedulerName(rawValue: name) else {
      throw UsageError(
        "no-scheduler", at: "--scheduler", "the model's own scheduler is not built in",
        hint: "pass --scheduler with one of "
          + SchedulerName.allCases.map(\.rawValue).joined(separator: ", ")
          + ", or denoise with a host of your own")
    }
    guard usual == .unipc, let path = request.inputsPath else { return usual }
    return try SampleInputs.stepCount(of: path) == nil ? usual : .euler
  }

  /// A scheduler that takes what the model predicts, as far as its adapter says.
  private func fitting(_ scheduler: SchedulerName) throws(UsageError) -> SchedulerName {
    guard
      let usual = roles.scheduler.flatMap(SchedulerName.init(rawValue:)),
      usual.isFlowMatching != scheduler.isFlowMatching
    else { return scheduler }
    let fitting = SchedulerName.allCases.filter { $0.isFlowMatching == usual.isFlowMatching }
    throw UsageError(
      "scheduler-does-not-fit", at: "--scheduler \(scheduler.rawValue)",
      "the adapter's scheduler is \(usual.rawValue): the model predicts "
        + (usual.isFlowMatching ? "velocities, not noise" : "noise, not velocities"),
      hint: "use " + fitting.map(\.rawValue).joined(separator: " or "))
  }

  /// The inputs of a request.
  ///
  /// What its file holds is taken from there; else noise comes from the seed, levels from the
  /// scheduler, and text from the prompt.
  ///
  /// - Parameters:
  ///   - request: what to denoise
  ///   - scheduleSteps: the steps that a schedule is for, when the request names none
  /// - Returns: noise, levels, conditioning and further inputs of all samples
  /// - Throws: `UsageError`, `DiffusionError`, or what reading the files throws
  public func inputs(_ request: Request, scheduleSteps: Int? = nil) throws -> SampleInputs {
    var arrays: [String: Tensor] = [:]
    if let path = request.inputsPath {
      for (name, tensor) in try RunJob.arrays(of: path) { arrays[name.text] = tensor }
      try SampleInputs.requireKnown(arrays.keys)
    }
    if arrays["sigmas"] == nil, arrays["timesteps"] == nil {
      let levels = try levels(of: request, scheduleSteps: scheduleSteps)
      arrays["sigmas"] = Tensor(levels.sigmas)
      arrays["timesteps"] = Tensor(levels.timesteps)
    }
    if arrays["initial_noise"] == nil {
      let beside = arrays["\(SampleInputs.extraPrefix)\(roles.latents)"]
      arrays["initial_noise"] = try noise(of: request, beside: beside)
    }
    var inputs = try SampleInputs(arrays: arrays)
    if inputs.text.isEmpty {
      let conditioning = try conditioning(of: request)
      inputs.text = conditioning.text.mapValues { $0.repeated(inputs.sampleCount) }
      inputs.unconditionalText = conditioning.unconditionalText.mapValues {
        $0.repeated(inputs.sampleCount)
      }
      inputs.guidanceScale = inputs.guidanceScale ?? roles.guidanceScale
    }
    inputs.extras = inputs.extras.mapValues { $0.repeated(inputs.sampleCount) }
    if let guidance = request.guidance { inputs.guidanceScale = guidance }
    return inputs
  }

  private func levels(of request: Request, scheduleSteps: Int?) throws -> NoiseLevels {
    guard let steps = request.steps ?? scheduleSteps ?? roles.steps else {
      throw UsageError("no-step-count", at: "--steps", "nothing says how many steps a run has")
    }
    return try NoiseLevels(
      for: try scheduler(of: request), steps: steps, shift: request.shift ?? roles.shift,
      timestepMultiplier: roles.timestepMultiplier)
  }

  /// Noise of the model's size, whatever its own batch, less the channels that come beside it.
  private func noise(of request: Request, beside channels: Tensor?) throws -> Tensor {
    let type = model.graph.value(named: roles.latents).flatMap { model.measured.tensorType(of: $0) }
    var sizes = (type?.shape ?? []).dropFirst().map(\.value)
    guard type?.shape?.isEmpty == false, !sizes.contains(nil) else {
      throw UsageError(
        "free-dimensions", at: "input '\(roles.latents)'", "the size of the latents is not known",
        hint: "fix its free dimensions with --dim, or pass --inputs")
    }
    guard (1...1000).contains(request.samples) else {
      throw UsageError("bad-sample-count", at: "--samples", "1 to 1000, not \(request.samples)")
    }
    if let channels, channels.rank > 1, let all = sizes.first ?? nil {
      guard channels.shape[1] < all else {
        throw UsageError(
          "no-channels-left", at: "extra/\(roles.latents)",
          "\(channels.shape) leaves none of the \(all) channels to the latents")
      }
      sizes[0] = all - channels.shape[1]
    }
    let shape = try Shape([request.samples] + sizes.compactMap { $0 })
    try SeededInputs.requireMemory(for: shape, of: roles.latents)
    var noise = GaussianNoise(seed: request.seed)
    return noise.tensor(shape)
  }
}

extension SampleInputs {
  /// The steps of a file of inputs, if it has noise levels.
  static func stepCount(of path: String) throws -> Int? {
    let file = try NPZFile(readingFrom: path)
    guard let sigmas = file.entries.first(where: { $0.name == "sigmas" }) else { return nil }
    return sigmas.shape.elementCount - 1
  }
}

extension Tensor {
  /// A batch of copies of one sample, (1, …); any other tensor as it is.
  func repeated(_ count: Int) -> Tensor {
    guard count > 1, rank > 0, shape[0] == 1,
      let batch = try? Shape([count] + shape.dimensions.dropFirst())
    else { return self }
    return view(shape: batch, strides: [0] + strides.dropFirst(), offset: offset)
  }
}
