/// Turns model outputs into less noisy latents, one step after another.
///
/// A value serves one run of one group of samples: steps come in order, from 0.
public protocol Scheduler {
  /// The latents after a step.
  ///
  /// - Parameters:
  ///   - output: what the model returned for the latents, after guidance, element by element
  ///   - index: the number of the step, from 0
  ///   - latents: the latents before the step
  /// - Returns: the latents after it, as many numbers as before
  mutating func step(_ output: [Float], at index: Int, from latents: [Float]) -> [Float]
}

/// The schedulers by the names that users and adapters give them.
public enum SchedulerName: String, CaseIterable, Sendable {
  /// Flow matching, one explicit Euler step a scheduler step.
  case euler
  /// Flow matching, second-order multistep predictor and corrector; Wan's default.
  case unipc
  /// Noise prediction on the linear noise schedule of DDPM, deterministic; DiT's default.
  case ddim

  /// Whether it follows a velocity between noise and data; else it takes predicted noise.
  public var isFlowMatching: Bool { self != .ddim }

  /// A scheduler for a run along these levels.
  public func makeScheduler(_ levels: NoiseLevels) -> any Scheduler {
    switch self {
    case .euler: FlowMatchEuler(levels)
    case .unipc: UniPC(levels)
    case .ddim: DDIM(levels)
    }
  }
}

extension NoiseLevels {
  /// The levels at which a scheduler runs a model.
  ///
  /// - Parameters:
  ///   - scheduler: what runs
  ///   - steps: the number of steps
  ///   - shift: the shift of flow-matching levels; DDIM has none
  ///   - timestepMultiplier: what a flow-matching level of 1 is as a timestep
  /// - Throws: `DiffusionError` for fewer than one step or a shift that is not above 0
  public init(
    for scheduler: SchedulerName, steps: Int, shift: Double, timestepMultiplier: Double = 1000
  ) throws(DiffusionError) {
    switch scheduler {
    case .euler:
      try self.init(steps: steps, shift: shift, timestepMultiplier: timestepMultiplier)
    case .unipc:
      self = try UniPC.levels(steps: steps, shift: shift, timestepMultiplier: timestepMultiplier)
    case .ddim:
      self = try DDIM.levels(steps: steps)
    }
  }
}
