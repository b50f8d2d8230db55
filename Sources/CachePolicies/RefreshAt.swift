import ScheduleLanguage

/// A list of steps: with `refresh at [6, 18, 26]`, those steps compute.
struct RefreshAt: DecisionPrimitive {
  static let descriptor = ClauseDescriptor(
    keyword: "refresh at", summary: "The listed steps are computed.",
    parameters: [
      ParameterDescriptor("step", .steps, summary: "steps counted from 0")
    ],
    synonyms: ["steps_computation_mask", "step_cache_list", "compute_bins"])
  static let isGuard = false

  static func decision(_ clause: Clause, in rule: RuleContext) -> Expression {
    Expression.step.isMember(of: clause.steps("step").sorted())
  }
}
