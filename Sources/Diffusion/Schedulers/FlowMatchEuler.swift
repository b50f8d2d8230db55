/// Flow matching with explicit Euler steps: `x' = x + (σ' − σ) · v`.
///
/// That of `FlowMatchEulerDiscreteScheduler` in diffusers
/// (src/diffusers/schedulers/scheduling_flow_match_euler_discrete.py).
struct FlowMatchEuler: Scheduler {
  private let levels: NoiseLevels

  init(_ levels: NoiseLevels) {
    self.levels = levels
  }

  mutating func step(_ output: [Float], at index: Int, from latents: [Float]) -> [Float] {
    let change = Float(levels.sigmas[index + 1] - levels.sigmas[index])
    return zip(latents, output).map { $0 + change * $1 }
  }
}
