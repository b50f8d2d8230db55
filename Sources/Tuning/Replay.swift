import Foundation

/// What a plan would do to recorded runs if the model's predictions stayed what they were.
///
/// The final latents then miss Σ wₛ·γₛ·(v̂ₛ − vₛ), where v̂ₛ is a combination of recorded
/// predictions; its norm needs their inner products alone. The gains γ say how much more an error
/// at a step grows on its way in a real run.
public struct Replay: Sendable {
  /// Recorded runs.
  public let trajectories: [Trajectory]
  /// Scheduler steps.
  public let stepCount: Int
  /// wₛ·γₛ.
  public let weights: [Double]

  /// A replay of runs of the same number of steps and calls.
  ///
  /// - Parameters:
  ///   - trajectories: uncached runs
  ///   - weights: how much each step's prediction moves the final latents
  ///   - gains: how much more its error grows in a real run
  public init(_ trajectories: [Trajectory], weights: [Double], gains: [Double]? = nil) {
    self.trajectories = trajectories
    stepCount = weights.count
    self.weights = gains.map { zip(weights, $0).map { $0 * $1 } } ?? weights
  }

  /// The mean squared error of the final latents of each run.
  public func squaredErrors(of plan: RefreshPlan) -> [Double] {
    guard let first = trajectories.first else { return [] }
    let error = combination(plan, mixing: first.mixing)
    return trajectories.map { trajectory in
      let count = error.count
      var sum = 0.0
      for i in 0..<count where error[i] != 0 {
        for j in 0..<count where error[j] != 0 {
          sum += error[i] * error[j] * trajectory.products[i * count + j]
        }
      }
      return max(sum, 0) / Double(max(trajectory.elementCount, 1))
    }
  }

  /// The mean over runs of the peak signal-to-noise ratio for data of a range, in dB.
  public func psnr(of plan: RefreshPlan, dataRange: Double) -> Double {
    let errors = squaredErrors(of: plan)
    let floor = 1e-10 * dataRange * dataRange
    let sum = errors.reduce(0) { $0 + 10 * log10(dataRange * dataRange / max($1, floor)) }
    return sum / Double(max(errors.count, 1))
  }

  /// The final error in the basis of all predictions.
  ///
  /// A kept unconditional difference is that of the last step with both calls, added to what stands
  /// in for the conditional prediction.
  private func combination(_ plan: RefreshPlan, mixing: [Double]) -> [Double] {
    let calls = mixing.count
    var error = [Double](repeating: 0, count: stepCount * calls)
    var state = ForecastState(plan.forecast)
    let computed = Set(plan.computed)
    let called = plan.unconditional.map(Set.init)
    var lastDifference = 0
    for step in 0..<stepCount {
      if computed.contains(step) || step == 0 { state.compute(step) }
      let standIn = state.value(at: step)
      let weight = weights[step]
      for call in 0..<calls {
        let isRebuilt = calls == 2 && call == 0 && called != nil
        let source = isRebuilt ? 1 : call
        for (from, factor) in standIn.terms {
          error[from * calls + source] += weight * mixing[call] * factor
        }
        error[step * calls + call] -= weight * mixing[call]
      }
      guard calls == 2, let called else { continue }
      if called.contains(step) || step == 0 { lastDifference = step }
      error[lastDifference * 2] += weight * mixing[0]
      error[lastDifference * 2 + 1] -= weight * mixing[0]
    }
    return error
  }

  /// The products of guided predictions, summed over runs: steps × steps.
  func guidedProducts() -> [Double] {
    var sums = [Double](repeating: 0, count: stepCount * stepCount)
    for trajectory in trajectories {
      let calls = trajectory.mixing.count
      let width = stepCount * calls
      let scale = 1 / Double(max(trajectory.elementCount * trajectories.count, 1))
      for i in 0..<width {
        for j in 0..<width {
          sums[i / calls * stepCount + j / calls] +=
            scale * trajectory.mixing[i % calls] * trajectory.mixing[j % calls]
            * trajectory.products[i * width + j]
        }
      }
    }
    return sums
  }
}
