public import Adapters
public import CacheContract
import GraphIR
import Interpreter
import Tensors

/// Denoises samples with a model, cached or not, and a scheduler.
public struct DenoisingLoop {
  let engine: any DenoisingEngine
  let roles: InputRoles
  let manifest: Manifest?
  let scheduler: SchedulerName
  /// Numbers other than the schedule's, by its names for them.
  public var parameters: [String: Double] = [:]
  /// The model that takes over when little noise is left; nil for one model.
  public var lowNoise: LowNoiseExpert?
  /// What stands in for the unconditional call, if the manifest has a model for that.
  public var unconditional: UnconditionalCall?

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

  /// Runs all samples, each group with fresh state for every branch of every model.
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
    try lowNoise?.requireLikeness(to: engine, manifest)
    for manifest in [manifest, lowNoise?.manifest] {
      guard let manifest, manifest.steps != inputs.levels.stepCount else { continue }
      throw DiffusionError(
        "other-step-count", at: "--steps",
        "the cached model was made for \(manifest.steps) steps, the run has "
          + "\(inputs.levels.stepCount)",
        hint: "rewrite the model with --steps \(inputs.levels.stepCount)")
    }
    try requireLevels(inputs.levels)
    let modelBatch = engine.inputs.first { $0.name == roles.latents }?
      .type.tensor?.shape?.first?.value
    let plan = try GuidancePlan(
      inputs, roles: roles, modelBatch: modelBatch, needsBranches: manifest?.branches != nil)
    if lowNoise?.guidanceScale != nil, plan.scale == nil {
      throw DiffusionError(
        "no-guidance-scale", at: "--low-noise-guidance", "the first model runs without guidance",
        hint: "pass --guidance G as well")
    }
    let groups = inputs.sampleCount / plan.groupCount
    var parts: [Recording] = []
    for group in 0..<groups {
      let range = group * plan.groupCount..<(group + 1) * plan.groupCount
      var run = try DenoisingRun(self, inputs, range, plan, override: override)
      for step in 0..<inputs.levels.stepCount {
        try run.takeStep(step)
        progress(
          group * inputs.levels.stepCount + step + 1, groups * inputs.levels.stepCount)
      }
      parts.append(try run.recording())
    }
    return try Recording.joined(parts)
  }

  /// Refuses levels that the tables of a cached model were not made for.
  private func requireLevels(_ levels: NoiseLevels) throws(DiffusionError) {
    for manifest in [manifest, lowNoise?.manifest] {
      guard let due = manifest?.timesteps else { continue }
      let isSame = zip(due, levels.timesteps).allSatisfy { abs($0 - $1) <= 1e-6 * abs($0) }
      guard due.count == levels.timesteps.count, isSame else {
        throw DiffusionError(
          "other-levels", at: "noise levels",
          "the cached model's decisions were taken for other timesteps than those of the run",
          hint: "rewrite the model with the --levels of this run, or without")
      }
    }
  }
}
