import Testing

import Tuning

@Suite struct SearchTests {
  private let changes = [0.1, 0.25, 0.05, 0.3, 0.4, 0.15, 0.2, 0.35, 0.1, 0.3]

  /// A rule that adds up changes and computes once the sum is not below the threshold.
  private func decisions(_ threshold: Double) -> (computed: [Bool], metrics: [Double]) {
    var sum = 0.0
    var result: (computed: [Bool], metrics: [Double]) = ([], [])
    for change in changes {
      sum += change
      result.metrics.append(sum)
      result.computed.append(!(sum < threshold))
      if !(sum < threshold) { sum = 0 }
    }
    return result
  }

  @Test func decisionsAreTheSameInsideAnIntervalAndOthersBeyondIt() {
    var threshold = 0.06
    var intervals: [ThresholdInterval] = []
    while intervals.count < 60 {
      let own = decisions(threshold)
      let interval = ThresholdInterval(around: threshold, metrics: own.metrics)
      intervals.append(interval)
      #expect(interval.low < threshold && threshold <= interval.high)
      guard interval.high.isFinite else { break }
      for part in [0.5, 1] where interval.low.isFinite {
        let inside = interval.low + part * (interval.high - interval.low)
        #expect(decisions(inside).computed == own.computed)
      }
      threshold = interval.high.nextUp
      #expect(decisions(threshold).computed != own.computed)
    }
    #expect(intervals.count > 8)
    #expect(intervals.last?.high == .infinity)
  }

  @Test(arguments: 1...9)
  func theLargestThresholdIsFoundExactly(least: Int) {
    func count(_ threshold: Double) -> Int { decisions(threshold).computed.count { $0 } }
    var tried = 0
    let search = ThresholdSearch(range: 0...10, attempts: 40)
    let found = search.largest(from: 0.2) { threshold in
      tried += 1
      return (
        count(threshold) >= least,
        ThresholdInterval(around: threshold, metrics: decisions(threshold).metrics)
      )
    }
    #expect(found?.isExact == true)
    #expect(tried < 20)
    let high = found?.interval.high ?? 0
    #expect(count(high) >= least)
    #expect(count(high.nextUp) < least)
  }

  @Test func aThresholdThatNothingBreaksEndsAtTheRange() {
    let search = ThresholdSearch(range: 0...1)
    let found = search.largest(from: 0.1) { _ in
      (true, ThresholdInterval(low: 0, high: .infinity))
    }
    #expect(found?.isExact == true)
    let none = search.largest(from: 0.1) { threshold in
      (false, ThresholdInterval(low: -.infinity, high: threshold))
    }
    #expect(none == nil)
  }

  @Test func anIntervalIsNamedByItsShortestNumber() {
    #expect(ThresholdInterval(low: 0.08312, high: 0.0871).shortest == 0.085)
    #expect(ThresholdInterval(low: 12.1, high: 19.7).shortest == 16)
    #expect(ThresholdInterval(low: 0.5, high: 0.5).shortest == nil)
    let narrow = ThresholdInterval(low: 0.123456789, high: 0.1234567893)
    let number = narrow.shortest ?? 0
    #expect(number > narrow.low && number <= narrow.high)
  }

  @Test func metricsThatAreNotNumbersDoNotBound() {
    let interval = ThresholdInterval(around: 1, metrics: [0.2, .nan, .infinity, 3])
    #expect(interval == ThresholdInterval(low: 0.2, high: 3))
  }

  @Test(arguments: 1...30)
  func theLeastCountIsFoundFromAnyGuess(guess: Int) {
    for least in 1...30 {
      var tried: [Int] = []
      let found = LeastCount.find(in: 1...30, from: guess) { count in
        tried.append(count)
        return count >= least
      }
      #expect(found == least)
      #expect(Set(tried).count == tried.count)
      #expect(tried.count <= 11)
    }
    #expect(LeastCount.find(in: 1...30, from: guess) { _ in false } == nil)
  }

  @Test func theFrontHoldsWhatNothingBeats() {
    let results = [
      (cost: 0.5, quality: 30.0), (cost: 0.4, quality: 31), (cost: 0.3, quality: 25),
      (cost: 0.4, quality: 29), (cost: 0.9, quality: 40), (cost: 0.95, quality: 40),
    ]
    #expect(ParetoFront.places(of: results) == [2, 1, 4])
  }

  @Test func plansAreThinnedAndMovedButStepZeroStays() {
    let plan = RefreshPlan(computed: [0, 3, 7], unconditional: [0, 7], forecast: .last)
    #expect(
      plan.thinned == [
        RefreshPlan(computed: [0, 7], unconditional: [0, 7], forecast: .last),
        RefreshPlan(computed: [0, 3], unconditional: [0], forecast: .last),
        RefreshPlan(computed: [0, 3, 7], unconditional: [0], forecast: .last),
      ])
    let moved = plan.shifted(steps: 9)
    #expect(moved.allSatisfy { $0.computed.first == 0 && $0.computed.count == 3 })
    #expect(moved.allSatisfy { Set($0.unconditional ?? []).isSubset(of: $0.computed) })
    #expect(
      moved.contains(RefreshPlan(computed: [0, 3, 8], unconditional: [0, 8], forecast: .last)))
    #expect(
      moved.contains(RefreshPlan(computed: [0, 3, 7], unconditional: [0, 3], forecast: .last)))
    #expect(plan.computedShare(steps: 10, branches: 2) == 0.25)
  }
}
