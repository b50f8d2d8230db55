public import Diffusion

/// How much each step's model output moves the final latents.
public enum StepWeights {
  /// The final latents' derivative by the output of each step, the latents of the other steps'
  /// outputs held: schedulers are linear in both.
  ///
  /// For Euler steps these are σ' − σ.
  public static func of(_ scheduler: SchedulerName, _ levels: NoiseLevels) -> [Double] {
    (0..<levels.stepCount).map { impulse in
      var run = scheduler.makeScheduler(levels)
      var latents: [Float] = [0]
      for step in 0..<levels.stepCount {
        latents = run.step([step == impulse ? 1 : 0], at: step, from: latents)
      }
      return Double(latents[0])
    }
  }
}
