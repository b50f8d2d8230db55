import Foundation

/// UniPC of order 2 for flow matching: a multistep predictor whose result the next model output
/// corrects.
///
/// Zhao et al., UniPC (arXiv 2302.04867), with B₂(h) = eʰ − 1 on predictions of the clean sample,
/// x₀ = x − σ·v; α = 1 − σ and λ = ln α − ln σ. The last step has order 1. As
/// `UniPCMultistepScheduler` of diffusers with `use_flow_sigmas`
/// (src/diffusers/schedulers/scheduling_unipc_multistep.py).
struct UniPC: Scheduler {
  private let levels: NoiseLevels
  /// The predictions of the clean sample at the last two steps, the newest last.
  private var predictions: [[Float]] = []
  /// The corrected latents before the last step.
  private var previous: [Float] = []
  /// The order of the last predictor step.
  private var order = 0

  init(_ levels: NoiseLevels) {
    self.levels = levels
  }

  /// The levels and whole timesteps of a run.
  ///
  /// `σ' = shift·σ / (1 + (shift − 1)·σ)` over linspace(1, 0.001, S + 1) without its last, then 0.
  /// The first level is 10⁻⁶ below 1, where λ is finite.
  static func levels(
    steps: Int, shift: Double, timestepMultiplier: Double
  ) throws(DiffusionError) -> NoiseLevels {
    let even = try NoiseLevels(steps: steps, shift: 1, timestepMultiplier: 1)
    guard shift > 0, shift.isFinite else {
      throw DiffusionError("bad-shift", at: "--shift", "the shift must be above 0, not \(shift)")
    }
    let sigmas = even.timesteps.map { level in
      let sigma = lowestLevel + (1 - lowestLevel) * level
      return min(shift * sigma / (1 + (shift - 1) * sigma), 1 - 1e-6)
    }
    return try NoiseLevels(
      sigmas: sigmas + [0], timesteps: sigmas.map { ($0 * timestepMultiplier).rounded(.down) })
  }

  mutating func step(_ output: [Float], at index: Int, from latents: [Float]) -> [Float] {
    let sigma = Float(levels.sigmas[index])
    let prediction = zip(latents, output).map { $0 - sigma * $1 }
    let sample = order == 0 ? latents : corrected(by: prediction, at: index)
    predictions.append(prediction)
    if predictions.count > 2 { predictions.removeFirst() }
    order = min(2, levels.stepCount - index, predictions.count)
    previous = sample
    return predicted(from: sample, at: index)
  }

  /// The step from `sample` at a level to the next level.
  private func predicted(from sample: [Float], at index: Int) -> [Float] {
    let newest = predictions[predictions.count - 1]
    let move = Move(levels.sigmas[index], levels.sigmas[index + 1])
    guard order == 2 else { return move.moved(sample, newest) }
    let ratio = move.ratio(of: levels.sigmas[index - 1])
    return move.moved(
      sample, newest, differences: [(predictions[0], 0.5 / ratio)])
  }

  /// The step that led to a level, taken again with the model's prediction there.
  private func corrected(by prediction: [Float], at index: Int) -> [Float] {
    let newest = predictions[predictions.count - 1]
    let move = Move(levels.sigmas[index - 1], levels.sigmas[index])
    guard order == 2 else {
      return move.moved(previous, newest, differences: [(prediction, 0.5)])
    }
    let ratio = move.ratio(of: levels.sigmas[index - 2])
    let (first, second) = move.moments
    let older = (second - first) / (ratio - 1)
    return move.moved(
      previous, newest,
      differences: [(predictions[0], older / ratio), (prediction, first - older)])
  }

  private static let lowestLevel = 0.001

  /// A step between two levels in the solver's variables.
  private struct Move {
    let from, to: Double
    let h: Double

    init(_ from: Double, _ to: Double) {
      self.from = from
      self.to = to
      h = Move.lambda(to) - Move.lambda(from)
    }

    static func lambda(_ sigma: Double) -> Double { log(1 - sigma) - log(sigma) }

    /// How far back another level lies, in lengths of this step; negative.
    func ratio(of sigma: Double) -> Double { (Move.lambda(sigma) - Move.lambda(from)) / h }

    /// φ₂(−h) and 2·φ₃(−h), each divided by φ₁(−h): the right side of the order conditions.
    var moments: (first: Double, second: Double) {
      let phi = expm1(-h)
      let first = phi / -h - 1
      let second = first / -h - 0.5
      return (first / phi, 2 * second / phi)
    }

    /// `σ'/σ·x + α'·(1 − e⁻ʰ)·(m + Σ w·(mᵢ − m))`, where m is the newest prediction.
    func moved(
      _ sample: [Float], _ newest: [Float],
      differences: [(prediction: [Float], weight: Double)] = []
    ) -> [Float] {
      let keep = Float(to / from)
      let gain = Float(-(1 - to) * expm1(-h))
      let weights = differences.map { Float($0.weight) }
      return sample.indices.map { element in
        var target = newest[element]
        for (number, difference) in differences.enumerated() {
          target += weights[number] * (difference.prediction[element] - newest[element])
        }
        return keep * sample[element] + gain * target
      }
    }
  }
}
