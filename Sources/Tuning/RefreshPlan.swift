/// Which steps of a run compute, and what stands in at the others.
public struct RefreshPlan: Hashable, Sendable {
  /// The steps that compute, ascending, 0 first.
  public var computed: [Int]
  /// Those of them that make the unconditional call of guidance too; nil where all do.
  public var unconditional: [Int]?
  /// What stands in at reused steps.
  public var forecast: Forecast

  /// A plan.
  public init(computed: [Int], unconditional: [Int]? = nil, forecast: Forecast) {
    self.computed = computed
    self.unconditional = unconditional
    self.forecast = forecast
  }

  /// The part of the calls that compute, of a model that makes `branches` calls a step.
  public func computedShare(steps: Int, branches: Int) -> Double {
    let others = (branches - 1) * (unconditional ?? computed).count
    return Double(computed.count + others) / Double(steps * branches)
  }

  /// Plans with one computed step less, or one unconditional call less; step 0 stays.
  public var thinned: [RefreshPlan] {
    var plans: [RefreshPlan] = computed.dropFirst().map { step in
      RefreshPlan(
        computed: computed.filter { $0 != step },
        unconditional: unconditional?.filter { $0 != step }, forecast: forecast)
    }
    if let unconditional {
      plans += unconditional.dropFirst().map { step in
        RefreshPlan(
          computed: computed, unconditional: unconditional.filter { $0 != step },
          forecast: forecast)
      }
    }
    return plans
  }

  /// Plans with one computed step moved by one or two, or an unconditional call moved to another
  /// computed step; step 0 stays.
  public func shifted(steps: Int) -> [RefreshPlan] {
    var plans: [RefreshPlan] = []
    for step in computed.dropFirst() {
      for target in [step - 2, step - 1, step + 1, step + 2]
      where (1..<steps).contains(target) && !computed.contains(target) {
        plans.append(
          RefreshPlan(
            computed: Self.moved(computed, step, target),
            unconditional: unconditional.map { Self.moved($0, step, target) }, forecast: forecast))
      }
    }
    for step in (unconditional ?? []).dropFirst() {
      for target in computed where !(unconditional ?? []).contains(target) {
        plans.append(
          RefreshPlan(
            computed: computed, unconditional: Self.moved(unconditional ?? [], step, target),
            forecast: forecast))
      }
    }
    return plans
  }

  private static func moved(_ steps: [Int], _ step: Int, _ target: Int) -> [Int] {
    steps.map { $0 == step ? target : $0 }.sorted()
  }
}
