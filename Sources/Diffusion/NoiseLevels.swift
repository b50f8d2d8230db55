/// The noise levels of a flow-matching run, from the noisiest to none.
public struct NoiseLevels: Hashable, Sendable {
  /// S + 1 levels; the last is 0.
  public let sigmas: [Double]

  /// What the model is told at each of the S steps.
  public let timesteps: [Double]

  /// The number of steps.
  public var stepCount: Int { timesteps.count }

  /// The most steps that a run may have, as in schedules.
  public static let maximumSteps = 10_000

  /// Evenly spaced levels, shifted: `σ' = shift·σ / (1 + (shift − 1)·σ)` over linspace(1, 0, S + 1).
  ///
  /// The formula is that of `FlowMatchEulerDiscreteScheduler` in diffusers
  /// (src/diffusers/schedulers/scheduling_flow_match_euler_discrete.py).
  public init(
    steps: Int, shift: Double, timestepMultiplier: Double = 1000
  ) throws(DiffusionError) {
    guard (1...Self.maximumSteps).contains(steps) else {
      throw DiffusionError(
        "no-steps", at: "--steps", "a run has 1 to \(Self.maximumSteps) steps, not \(steps)")
    }
    guard shift > 0, shift.isFinite else {
      throw DiffusionError("bad-shift", at: "--shift", "the shift must be above 0, not \(shift)")
    }
    sigmas = (0...steps).map { step in
      let sigma = 1 - Double(step) / Double(steps)
      return shift * sigma / (1 + (shift - 1) * sigma)
    }
    timesteps = sigmas.dropLast().map { timestepMultiplier * $0 }
  }

  /// Levels from a file; timesteps default to 1000 · sigma.
  public init(sigmas: [Double], timesteps: [Double]? = nil) throws(DiffusionError) {
    guard sigmas.count >= 2, sigmas.last == 0, sigmas.allSatisfy(\.isFinite) else {
      throw DiffusionError(
        "bad-sigmas", at: "sigmas",
        "there must be at least 2 sigmas, all finite, and the last must be 0")
    }
    let timesteps = timesteps ?? sigmas.dropLast().map { 1000 * $0 }
    guard timesteps.count == sigmas.count - 1 else {
      throw DiffusionError(
        "bad-timesteps", at: "timesteps",
        "\(timesteps.count) timesteps do not fit \(sigmas.count) sigmas; one fewer is needed")
    }
    guard timesteps.allSatisfy(\.isFinite) else {
      throw DiffusionError("bad-timesteps", at: "timesteps", "a timestep is not a finite number")
    }
    self.sigmas = sigmas
    self.timesteps = timesteps
  }
}
