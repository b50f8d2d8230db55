public import Adapters
public import CacheContract
import Dispatch
import GraphIR
import Interpreter
import Tensors

/// Denoises samples with a model, cached or not, and a scheduler.
public struct DenoisingLoop {
  private let engine: any DenoisingEngine
  private let roles: InputRoles
  private let manifest: Manifest?
  private let scheduler: SchedulerName
  /// Numbers other than the schedule's, by its names for them.
  public var parameters: [String: Double] = [:]

  /// A loop over a model; `manifest` is nil for a model without cache.
  public init(
    _ engine: any DenoisingEngine, roles: InputRoles, manifest: Manifest? = nil,
    scheduler: SchedulerName = .euler
  ) {
    self.engine = engine
    self.roles = roles
    self.manifest = manifest
    self.scheduler = scheduler
  }

  /// Runs all samples, each group with fresh state for every branch.
  ///
  /// - Parameters:
  ///   - inputs: noise, levels and conditioning
  ///   - override: what all sites are forced to
  ///   - progress: called after each step with the steps done and the steps of all groups
  /// - Returns: everything that was computed
  /// - Throws: `DiffusionError`, or what the engine throws
  public func run(
    _ inputs: SampleInputs, override: StateBundle.Override = .auto,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> Recording {
    if let manifest, manifest.steps != inputs.levels.stepCount {
      throw DiffusionError(
        "other-step-count", at: "--steps",
        "the cached model was made for \(manifest.steps) steps, the run has "
          + "\(inputs.levels.stepCount)",
        hint: "rewrite the model with --steps \(inputs.levels.stepCount)")
    }
    let modelBatch = engine.inputs.first { $0.name == roles.latents }?
      .type.tensor?.shape?.first?.value
    let plan = try GuidancePlan(
      inputs, roles: roles, modelBatch: modelBatch, needsBranches: manifest?.branches != nil)
    let groups = inputs.sampleCount / plan.groupCount
    var parts: [Recording] = []
    for group in 0..<groups {
      let range = group * plan.groupCount..<(group + 1) * plan.groupCount
      parts.append(
        try run(inputs, range, plan, override: override) { step in
          progress(group * inputs.levels.stepCount + step, groups * inputs.levels.stepCount)
        })
    }
    return try Recording.joined(parts)
  }

  private func run(
    _ inputs: SampleInputs, _ range: Range<Int>, _ plan: GuidancePlan,
    override: StateBundle.Override, progress: (Int) -> Void
  ) throws -> Recording {
    var latents = try rounded(inputs.initialNoise.samples(range, of: "initial_noise"))
    var bundles = plan.branches.map { branch in
      manifest.map { StateBundle($0, branch: branch == "uncond" ? 1 : 0) }
    }
    var trajectory = [latents]
    var outputs: [Tensor] = []
    var flags: [Bool] = []
    var metrics: [Float] = []
    var tookPlace: [Bool] = []
    var stateByteCount = 0
    var branchStateByteCounts = [Int](repeating: 0, count: plan.branches.count)
    var scheduler = scheduler.makeScheduler(inputs.levels)
    let start = DispatchTime.now()
    for step in 0..<inputs.levels.stepCount {
      var calls = [Tensor?](repeating: nil, count: plan.branches.count)
      var reports = [Report](
        repeating: Report(sites: manifest?.sites.count ?? 0), count: plan.branches.count)
      let order = BranchOrder(manifest?.branches, among: plan.branches, step: step)
      if let (kept, dropped) = order.merged, let other = bundles[dropped] {
        bundles[kept]?.average(with: other)
      }
      for number in order.calls {
        let branch = plan.branches[number]
        let own = try feeds(inputs, range, plan, branch: branch, step: step, latents: latents)
        let leader = order.leader.flatMap { $0 == number ? nil : reports[$0].computed }
        let feeds =
          try bundles[number]?.feeds(
            adding: own, step: step, override: override,
            following: override == .auto ? leader : nil,
            sigmas: (inputs.levels.sigmas[step], inputs.levels.sigmas[step + 1]),
            parameters: parameters) ?? own
        var results = try engine.run(consume feeds)
        results = bundles[number]?.absorb(results) ?? results
        if let manifest { reports[number] = try Report(results, sites: manifest.sites.count) }
        calls[number] = try modelOutput(results)
      }
      flags += reports.flatMap(\.computed)
      metrics += reports.flatMap(\.metric)
      tookPlace += calls.map { $0 != nil }
      let held = bundles.map { $0?.byteCount ?? 0 }
      stateByteCount = max(stateByteCount, held.reduce(0, +))
      branchStateByteCounts = zip(branchStateByteCounts, held).map { max($0, $1) }
      let made = calls.compactMap { $0 }
      outputs.append(
        try Tensor.stacked(
          calls.map { ($0 ?? made[0].filled(with: .nan)).withLeadingAxis() }, at: "model_out"
        ).withLeadingAxis())
      let output = try plan.guided(made, like: latents)
      let moved = scheduler.step(output, at: step, from: latents.elements(as: Float.self))
      latents = try rounded(Tensor(moved, shape: latents.shape))
      trajectory.append(latents)
      progress(step + 1)
    }
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
    let sites = manifest?.sites.count ?? 0
    let shape = try Shape([inputs.levels.stepCount, plan.branches.count, sites])
    return Recording(
      branches: plan.branches, modelOutputs: try Tensor.stacked(outputs, at: "model_out"),
      latents: try Tensor.stacked(trajectory.map { $0.withLeadingAxis() }, at: "latents"),
      final: latents, computed: manifest == nil ? nil : Tensor(flags, shape: shape),
      metric: manifest == nil ? nil : Tensor(metrics, shape: shape), tookPlace: tookPlace,
      seconds: seconds, stateByteCount: stateByteCount,
      branchStateByteCounts: branchStateByteCounts)
  }

  /// Latents as the model's input holds them, in float32.
  ///
  /// A half-precision model's latents are rounded to its type after each step, as diffusers'
  /// schedulers do (`FlowMatchEulerDiscreteScheduler.step` computes in float32 and casts back).
  private func rounded(_ latents: Tensor) throws -> Tensor {
    let held = try engine.converted([roles.latents: latents])[roles.latents] ?? latents
    guard held.dataType.isFloatingPoint else {
      throw DiffusionError(
        "latents-type", at: "input '\(roles.latents)'",
        "latents of type \(held.dataType) cannot be denoised", category: .unsupported)
    }
    return try held.asFloat32()
  }

  /// The model's own inputs for one call.
  private func feeds(
    _ inputs: SampleInputs, _ range: Range<Int>, _ plan: GuidancePlan, branch: String,
    step: Int, latents: Tensor
  ) throws -> [Name: Tensor] {
    var feeds = try plan.text(for: branch, range, of: inputs)
    for (name, tensor) in inputs.extras {
      let own = try tensor.samples(range, of: "extra/\(name)")
      feeds[name] =
        branch == "batched" ? try Tensor.stacked([own, own], at: "extra/\(name)") : own
    }
    feeds[roles.latents] =
      branch == "batched" ? try Tensor.stacked([latents, latents], at: "latents") : latents
    let count = range.count * (branch == "batched" ? 2 : 1)
    let timestep = Float(inputs.levels.timesteps[step])
    feeds[roles.timestep] = Tensor([Float](repeating: timestep, count: count))
    if case .embedded(let input, let multiplier) = roles.guidance, feeds[input] == nil {
      let scale = inputs.guidanceScale ?? roles.guidanceScale ?? 1
      feeds[input] = Tensor([Float](repeating: Float(scale * multiplier), count: count))
    }
    return try engine.converted(feeds)
  }

  private func modelOutput(_ results: [Name: Tensor]) throws -> Tensor {
    guard let port = engine.outputs.first, let tensor = results[port.name],
      tensor.dataType.isFloatingPoint
    else {
      throw DiffusionError(
        "output-type", at: "model output", "the first output is not a floating-point tensor",
        category: .unsupported)
    }
    return try tensor.asFloat32()
  }
}
