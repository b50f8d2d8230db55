import ScheduleLanguage

/// The first steps compute: with `warmup_steps W`, steps 0 … W−1.
struct WarmupSteps: DecisionPrimitive {
  static let descriptor = ClauseDescriptor(
    keyword: "warmup_steps", summary: "The first steps of a run are computed.",
    parameters: [
      ParameterDescriptor(
        "count", .stepCount(0...Limits.stepCount), unit: "scheduler steps",
        summary: "steps 0 to COUNT-1 are computed")
    ],
    synonyms: [
      "warmup", "max_warmup_steps", "ret_steps", "retention_ratio", "disable_cache_before_step",
      "first_enhance", "cache_start_step",
    ])
  static let isGuard = true

  static func decision(_ clause: Clause, in rule: RuleContext) -> Expression {
    .step < .integer(count(in: rule))
  }

  /// The number of warm-up steps of a rule; 0 without the clause.
  static func count(in rule: RuleContext) -> Int {
    rule.clause(descriptor.keyword)?.integer("count") ?? 0
  }
}
