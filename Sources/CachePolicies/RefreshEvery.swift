import ScheduleLanguage

/// A fixed period: with `refresh every N` after W warm-up steps, step s ≥ W computes if
/// (s − W) mod N = 0, so step W itself computes.
struct RefreshEvery: DecisionPrimitive {
  static let descriptor = ClauseDescriptor(
    keyword: "refresh every", summary: "After the warm-up, every N-th step is computed.",
    parameters: [
      ParameterDescriptor(
        "n", .integer(1...Limits.stepCount), unit: "scheduler steps",
        summary: "1 computed step, then N-1 reused ones")
    ],
    synonyms: [
      "skip_interval", "cache_interval", "interval", "fresh_threshold", "cache_step_interval",
    ])
  static let isGuard = false

  static func decision(_ clause: Clause, in rule: RuleContext) -> Expression {
    let warmup = WarmupSteps.count(in: rule)
    let period = Expression.integer(max(1, clause.integer("n") ?? 1))
    guard warmup > 0 else { return Expression.step.modulo(period).equals(0) }
    let sinceWarmup = Expression.step - .integer(warmup)
    return .step >= .integer(warmup) && sinceWarmup.modulo(period).equals(0)
  }
}
