/// Deterministic DDIM on noise predictions: `x₀ = (x − σ·ε)/α`, `x' = α'·x₀ + σ'·ε`.
///
/// Song et al., Denoising Diffusion Implicit Models (arXiv 2010.02502), Eq. 12 with η = 0. Levels
/// are σ = √(1 − ᾱ) and α = √ᾱ = √(1 − σ²). As `DDIMScheduler` of diffusers
/// (src/diffusers/schedulers/scheduling_ddim.py) without clipping.
struct DDIM: Scheduler {
  private let levels: NoiseLevels

  init(_ levels: NoiseLevels) {
    self.levels = levels
  }

  /// Levels of DDPM's linear schedule, β from 0.0001 to 0.02 over 1,000 trained steps, at evenly
  /// spaced timesteps that end at 0 (`timestep_spacing="leading"`).
  static func levels(steps: Int) throws(DiffusionError) -> NoiseLevels {
    guard (1...trainedSteps).contains(steps) else {
      throw DiffusionError(
        "bad-step-count", at: "--steps", "DDIM runs 1 to \(trainedSteps) steps, not \(steps)")
    }
    var remaining: [Double] = []
    var product = 1.0
    for step in 0..<trainedSteps {
      product *= 1 - (0.0001 + (0.02 - 0.0001) * Double(step) / Double(trainedSteps - 1))
      remaining.append(product)
    }
    let timesteps = (0..<steps).reversed().map { $0 * (trainedSteps / steps) }
    return try NoiseLevels(
      sigmas: timesteps.map { (1 - remaining[$0]).squareRoot() } + [0],
      timesteps: timesteps.map(Double.init))
  }

  mutating func step(_ output: [Float], at index: Int, from latents: [Float]) -> [Float] {
    let (sigma, next) = (levels.sigmas[index], levels.sigmas[index + 1])
    let alpha = (1 - sigma * sigma).squareRoot()
    let scale = (1 - next * next).squareRoot() / alpha
    let (keep, gain) = (Float(scale), Float(next - scale * sigma))
    return zip(latents, output).map { keep * $0 + gain * $1 }
  }

  private static let trainedSteps = 1000
}
