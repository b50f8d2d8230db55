import ScheduleLanguage

/// A budget between computed steps: after so many reused steps in a row, one computes.
struct MaxContinuousCachedSteps: DecisionPrimitive {
  static let descriptor = ClauseDescriptor(
    keyword: "max_continuous_cached_steps",
    summary: "At most so many steps are reused in a row.",
    parameters: [
      ParameterDescriptor(
        "count", .integer(1...Limits.stepCount), unit: "scheduler steps",
        summary: "after COUNT reused steps one is computed")
    ],
    synonyms: ["max_skip_steps", "max_consecutive_cache_hits", "magcache_K", "mcs"])
  static let isGuard = false

  static func decision(_ clause: Clause, in rule: RuleContext) -> Expression {
    .control(.continuousCachedSteps) >= .integer(clause.integer("count") ?? 0)
  }
}
