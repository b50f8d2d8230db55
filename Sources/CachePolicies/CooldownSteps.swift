import ScheduleLanguage

/// The last steps compute: with `cooldown_steps C` of S steps, steps S−C … S−1.
struct CooldownSteps: DecisionPrimitive {
  static let descriptor = ClauseDescriptor(
    keyword: "cooldown_steps", summary: "The last steps of a run are computed.",
    parameters: [
      ParameterDescriptor(
        "count", .stepCount(0...Limits.stepCount), unit: "scheduler steps",
        summary: "the last COUNT steps are computed")
    ],
    synonyms: ["cooldown", "cutoff_steps", "disable_cache_after_step", "cache_end_step"])
  static let isGuard = true

  static func decision(_ clause: Clause, in rule: RuleContext) -> Expression {
    .step >= .steps - .integer(clause.integer("count") ?? 0)
  }
}
