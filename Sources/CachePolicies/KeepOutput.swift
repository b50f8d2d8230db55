import ScheduleLanguage

/// What a site made when it was last computed stands in for it: slot `kept` = output; reuse = `kept`.
///
/// The rule of PAB, FORA and TaylorSeer for modules. With a module cut before its gate, the gate is
/// multiplied with its value at the reused step.
struct KeepOutput: ReusePrimitive {
  static let descriptor = ClauseDescriptor(
    keyword: "keep output", summary: "Keeps what the site made and uses it in its place.",
    parameters: [StorageParameter.descriptor])

  static func reuse(_ clause: Clause, in rule: RuleContext) -> Reuse {
    rule.carried(.site(.output), named: "kept", storage: StorageParameter.type(of: clause))
  }
}
