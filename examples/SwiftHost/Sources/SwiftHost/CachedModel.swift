import CacheContract
import DiTCache
import Diffusion
import GraphIR
import Interpreter
import Tensors

/// A cached model that denoises and hands out the latents of each step as soon as they are there.
struct CachedModel: Sendable {
  /// What one scheduler step made.
  struct Step: Sendable {
    /// From 0.
    let number: Int
    /// After the step, float32 (B, …).
    let latents: Tensor
    /// One flag a call and site: whether its blocks ran.
    let computed: [[Bool]]
  }

  private let engine: Engine
  private let manifest: Manifest
  private let latents: Name
  private let timestep: Name

  /// Opens a file that `ditcache rewrite` wrote in the form `if` or `function`.
  init(_ path: String, threads: Int = EngineOptions.availableThreads) throws {
    let model = try LoadedModel(path)
    guard let manifest = model.manifest else {
      throw UsageError(
        "no-cache", at: path, "the model has no cache", hint: "`ditcache rewrite` makes one")
    }
    self.manifest = manifest
    engine = try Engine(model.graph, options: EngineOptions(threads: threads))
    let roles = try SampleJob(model, threads: threads).roles
    (latents, timestep) = (roles.latents, roles.timestep)
  }

  /// Denoises; the work ends when nobody listens to the stream any more.
  func denoise(_ inputs: SampleInputs) -> AsyncThrowingStream<Step, any Error> {
    AsyncThrowingStream { continuation in
      let task = Task.detached {
        do {
          try run(inputs) { continuation.yield($0) }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  /// Euler steps along the flow, one call for each branch of guidance, each with its own state.
  private func run(_ inputs: SampleInputs, yield: (Step) -> Void) throws {
    let levels = inputs.levels
    guard levels.stepCount == manifest.steps else {
      throw UsageError(
        "other-step-count", at: "sigmas",
        "the model was cached for \(manifest.steps) steps, not \(levels.stepCount)")
    }
    let names = inputs.guidanceScale == nil ? ["cond"] : ["uncond", "cond"]
    var bundles = names.map { StateBundle(manifest, branch: $0 == "cond" ? 0 : 1) }
    // What the schedule asks of a host that makes two calls a step.
    let plan = names.count == 2 ? manifest.branches : nil
    guard plan?.uncond == nil else {
      throw UsageError(
        "rebuilt-call", at: "ditcache/manifest",
        "the schedule rebuilds the unconditional call, which this host cannot")
    }
    let leader = plan?.leader.flatMap(names.firstIndex)
    let dropped = plan?.dropped.flatMap(names.firstIndex)
    var x = inputs.initialNoise

    for step in 0..<levels.stepCount {
      try Task.checkCancellation()
      var calls = Array(names.indices).sorted { $0 == leader && $1 != leader }
      if let dropped, step >= plan?.fromStep ?? 0 {
        calls.removeAll { $0 == dropped }
        if step == plan?.fromStep { bundles[calls[0]].average(with: bundles[dropped]) }
      }
      var outputs = [Tensor?](repeating: nil, count: names.count)
      var computed = [[Bool]](repeating: [], count: names.count)
      for call in calls {
        var own = conditioning(of: names[call], inputs)
        own[latents] = x
        own[timestep] = Tensor(
          [Float](repeating: Float(levels.timesteps[step]), count: inputs.sampleCount))
        let feeds = try bundles[call].feeds(
          adding: try engine.converted(own), step: step,
          following: leader.flatMap { $0 == call ? nil : computed[$0] },
          sigmas: (levels.sigmas[step], levels.sigmas[step + 1]))
        let results = bundles[call].absorb(try engine.run(consume feeds))
        computed[call] = results[Name(ContractNames.computed)]?.elements(as: Bool.self) ?? []
        // A diffusion model's first output is its prediction.
        outputs[call] = try engine.outputs.first.flatMap { results[$0.name] }?.asFloat32()
      }
      let made = outputs.compactMap { $0?.elements(as: Float.self) }
      let scale = Float(inputs.guidanceScale ?? 1)
      let velocity = made.count < 2 ? made[0] : zip(made[0], made[1]).map { $0 + scale * ($1 - $0) }
      let change = Float(levels.sigmas[step + 1] - levels.sigmas[step])
      x = Tensor(
        zip(x.elements(as: Float.self), velocity).map { $0 + change * $1 }, shape: x.shape)
      yield(Step(number: step, latents: x, computed: calls.map { computed[$0] }))
    }
  }

  /// The text of a branch; without one of its own the unconditional branch gets zeros.
  private func conditioning(of branch: String, _ inputs: SampleInputs) -> [Name: Tensor] {
    guard branch == "uncond" else { return inputs.text }
    var text: [Name: Tensor] = [:]
    for (name, tensor) in inputs.text {
      let zeros = [Float](repeating: 0, count: tensor.shape.elementCount)
      text[name] = inputs.unconditionalText[name] ?? Tensor(zeros, shape: tensor.shape)
    }
    return text
  }
}
