import Testing

import Tuning

@Suite struct StepListSearchTests {
  /// The least error of any list of a number of steps.
  private func least(_ replay: Replay, count: Int, _ forecast: Forecast) -> Double {
    var best = Double.infinity
    func extend(_ list: [Int]) {
      if list.count == count {
        best = min(best, error(replay, list, forecast))
        return
      }
      for step in list[list.count - 1] + 1..<replay.stepCount { extend(list + [step]) }
    }
    extend([0])
    return best
  }

  private func error(_ replay: Replay, _ list: [Int], _ forecast: Forecast) -> Double {
    replay.squaredErrors(of: RefreshPlan(computed: list, forecast: forecast)).reduce(0, +)
  }

  /// The errors of stretches between computed steps have no direction in common, so they add up.
  @Test func onePrefixPerCellIsOptimalWhereErrorsAddUp() {
    let steps = 10
    let weights = (0..<steps).map { 0.2 + Double(($0 * 7) % 5) }
    let replay = Replay([Trajectories.orthogonal(steps: steps)], weights: weights)
    let lists = StepListSearch(replay, forecast: .last, width: 1).lists(upTo: steps)
    #expect(lists.map(\.count) == Array(1...steps))
    for (index, list) in lists.enumerated() {
      let own = error(replay, list, .last)
      #expect(abs(own - least(replay, count: index + 1, .last)) < 1e-9)
    }
  }

  @Test(arguments: [Forecast.last, .taylor(order: 1), .taylor(order: 2)])
  func withAllPrefixesListsAreTheBestThereAre(forecast: Forecast) {
    let steps = 10
    let trajectories = (0..<3).map {
      Trajectories.wandering(steps: steps, width: 5, seed: UInt64($0))
    }
    let replay = Replay(trajectories, weights: (0..<steps).map { -0.05 - 0.02 * Double($0) })
    let lists = StepListSearch(replay, forecast: forecast, width: 600).lists(upTo: steps)
    for (index, list) in lists.enumerated() {
      let best = least(replay, count: index + 1, forecast)
      #expect(error(replay, list, forecast) <= best * (1 + 1e-9) + 1e-15)
      #expect(list.first == 0)
      #expect(list == list.sorted())
    }
    #expect(lists[steps - 1] == Array(0..<steps))
  }

  @Test(arguments: [3, 5, 8])
  func aFewPrefixesPerCellComeCloseToAllOfThem(count: Int) {
    let replay = Replay(
      [Trajectories.wandering(steps: 14, width: 6, seed: 5)],
      weights: [Double](repeating: 0.1, count: 14))
    let list = StepListSearch(replay, forecast: .taylor(order: 1)).lists(upTo: count)[count - 1]
    let best = least(replay, count: count, .taylor(order: 1))
    #expect(error(replay, list, .taylor(order: 1)) <= 1.5 * best)
  }

  @Test(arguments: [2, 9, 50])
  func intervalsGrowFromTheFirstStepToTheLast(steps: Int) {
    for count in 1...steps {
      let list = GrowingIntervals.list(count, of: steps)
      #expect(list.count == count)
      #expect(list[0] == 0)
      #expect(count == 1 || list[count - 1] == steps - 1)
      #expect(zip(list, list.dropFirst()).allSatisfy { $0 < $1 })
    }
    #expect(GrowingIntervals.list(9, of: 50) == [0, 2, 6, 11, 17, 24, 32, 40, 49])
  }

  @Test func unconditionalCallsAreLeftOutOneByOneTheCheapestFirst() {
    // The difference of both calls changes at step 3 only.
    let rows = (0..<6).flatMap { step in [[step < 3 ? 1.0 : 5], [2.0]] }
    let replay = Replay(
      [Trajectories.trajectory(rows, mixing: [-1, 2])],
      weights: [Double](repeating: 1, count: 6))
    let plans = GuidanceSearch(replay).plans(
      from: RefreshPlan(computed: Array(0..<6), forecast: .last))
    #expect(plans.map { $0.unconditional?.count ?? 0 } == [6, 5, 4, 3, 2, 1])
    #expect(plans[4].unconditional == [0, 3])
    #expect(replay.squaredErrors(of: plans[4])[0] < 1e-18)
  }
}
