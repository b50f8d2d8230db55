import ScheduleLanguage

/// The sum of what a site added at all computed steps so far is added: slot `sum` += output − input;
/// reuse = input + `sum`.
///
/// ProfilingDiT's Eq. 10 (arXiv 2504.03140): C ← C + Δ from C = 0. Its code overwrites: `keep delta`.
struct KeepAccumulatedDelta: ReusePrimitive {
  static let descriptor = ClauseDescriptor(
    keyword: "keep accumulated_delta",
    summary: "Adds up what the site added at computed steps and adds the sum.",
    parameters: [StorageParameter.descriptor])

  static func reuse(_ clause: Clause, in rule: RuleContext) -> Reuse {
    let delta: Expression = .site(.output) - .site(.input)
    return Reuse(
      slots: [
        Slot(
          name: "sum", update: .slot("sum") + delta, storage: StorageParameter.type(of: clause))
      ], value: .site(.input) + .slot("sum"))
  }
}
