/// Finds which of a plan's computed steps can do without the unconditional call of guidance.
public struct GuidanceSearch: Sendable {
  private let replay: Replay

  /// A search by a replay of runs with two calls a step.
  public init(_ replay: Replay) {
    self.replay = replay
  }

  /// Plans with fewer and fewer unconditional calls, each one call less than the one before, the one
  /// that the replay misses least; the first makes all.
  public func plans(from plan: RefreshPlan) -> [RefreshPlan] {
    var current = plan
    current.unconditional = plan.computed
    var result = [current]
    while let called = current.unconditional, called.count > 1 {
      let candidates = called.dropFirst().map { step in
        RefreshPlan(
          computed: plan.computed, unconditional: called.filter { $0 != step },
          forecast: plan.forecast)
      }
      guard let best = replay.best(of: candidates) else { break }
      result.append(best)
      current = best
    }
    return result
  }
}

extension Replay {
  /// The plan of the least error; nil of none.
  func best(of plans: [RefreshPlan]) -> RefreshPlan? { ranked(plans).first }

  /// Plans in the order of their error, the least first.
  public func ranked(_ plans: [RefreshPlan]) -> [RefreshPlan] {
    plans.map { (plan: $0, error: squaredErrors(of: $0).reduce(0, +)) }
      .sorted { $0.error < $1.error }.map(\.plan)
  }
}
