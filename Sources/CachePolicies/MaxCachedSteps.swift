import ScheduleLanguage

/// A budget of a run: once so many steps were reused, the rest compute.
struct MaxCachedSteps: DecisionPrimitive {
  static let descriptor = ClauseDescriptor(
    keyword: "max_cached_steps", summary: "A run reuses at most so many steps.",
    parameters: [
      ParameterDescriptor(
        "count", .integer(1...Limits.stepCount), unit: "scheduler steps",
        summary: "after COUNT reused steps all others are computed")
    ])
  static let isGuard = true

  static func decision(_ clause: Clause, in rule: RuleContext) -> Expression {
    .control(.cachedSteps) >= .integer(clause.integer("count") ?? 0)
  }
}
