import Diffusion
import Testing

import Tuning

@Suite struct ReplayTests {
  @Test func weightsOfEulerStepsAreTheStepsOfTheLevels() throws {
    let levels = try NoiseLevels(steps: 7, shift: 3)
    let weights = StepWeights.of(.euler, levels)
    for (step, weight) in weights.enumerated() {
      #expect(abs(weight - (levels.sigmas[step + 1] - levels.sigmas[step])) < 1e-6)
    }
  }

  @Test(arguments: SchedulerName.allCases)
  func weightsPredictWhatAChangedOutputDoesToTheEnd(scheduler: SchedulerName) throws {
    let levels = try NoiseLevels(for: scheduler, steps: 6, shift: 3)
    let weights = StepWeights.of(scheduler, levels)
    func final(_ outputs: [Float]) -> Double {
      var run = scheduler.makeScheduler(levels)
      var latents: [Float] = [0.7]
      for (step, output) in outputs.enumerated() {
        latents = run.step([output], at: step, from: latents)
      }
      return Double(latents[0])
    }
    let outputs: [Float] = [0.4, -0.2, 0.9, 1.1, -0.6, 0.3]
    let changes: [Float] = [0.5, 0.25, -1, 0.75, 0.125, -0.5]
    let changed = final(zip(outputs, changes).map { $0 + $1 }) - final(outputs)
    let predicted = zip(weights, changes).reduce(0) { $0 + $1.0 * Double($1.1) }
    #expect(abs(changed - predicted) < 1e-4 * max(1, abs(predicted)))
  }

  @Test func plainReuseMissesTheWeightedDifferences() {
    let rows = [[1.0, 0], [2, 1], [4, -1], [5, 3]]
    let replay = Replay(
      [Trajectories.trajectory(rows, mixing: [1])], weights: [0.5, -1, 0.25, 2])
    let plan = RefreshPlan(computed: [0, 2], forecast: .last)
    // −1 · (v₀ − v₁) + 2 · (v₂ − v₃)
    let error = [-1 * (1.0 - 2) + 2 * (4.0 - 5), -1 * (0.0 - 1) + 2 * (-1.0 - 3)]
    let expected = error.reduce(0) { $0 + $1 * $1 } / 2
    #expect(abs(replay.squaredErrors(of: plan)[0] - expected) < 1e-12)
  }

  @Test(arguments: [1, 2])
  func aTaylorForecastMeetsStraightLines(order: Int) {
    let rows = (0..<12).map { step in [2 * Double(step) - 3, 1 - Double(step)] }
    let replay = Replay(
      [Trajectories.trajectory(rows, mixing: [1])], weights: [Double](repeating: 1, count: 12))
    let steps = [0, 1, 2, 6, 9]
    let taylor = RefreshPlan(computed: steps, forecast: .taylor(order: order))
    #expect(replay.squaredErrors(of: taylor)[0] < 1e-18)
    #expect(replay.squaredErrors(of: RefreshPlan(computed: steps, forecast: .last))[0] > 1)
  }

  @Test func keptDifferencesOfGuidanceStandInForTheUnconditionalCall() {
    // Two calls a step, guidance 2: 2·cond − uncond.
    let uncond = [1.0, 2, 3], cond = [2.0, 5, 7]
    let rows = (0..<3).flatMap { [[uncond[$0]], [cond[$0]]] }
    let replay = Replay([Trajectories.trajectory(rows, mixing: [-1, 2])], weights: [1, 1, 1])
    let plan = RefreshPlan(computed: [0, 1, 2], unconditional: [0, 2], forecast: .last)
    // At step 1, cond + (uncond − cond at step 0) = 4 stands in for 2, and is subtracted.
    #expect(abs(replay.squaredErrors(of: plan)[0] - 4) < 1e-12)
    let all = RefreshPlan(computed: [0, 1, 2], forecast: .last)
    #expect(replay.squaredErrors(of: all)[0] < 1e-18)
  }
}
