import ScheduleLanguage

/// What a site added when it was last computed is added again: slot `delta` = output − input,
/// overwritten at every computed step; reuse = input + `delta`.
///
/// With several streams each has its own delta. `as float16` or `as bfloat16` stores it in half
/// the bytes.
struct KeepDelta: ReusePrimitive {
  static let descriptor = ClauseDescriptor(
    keyword: "keep delta",
    summary: "Keeps what the site added to the hidden states and adds it again.",
    parameters: [StorageParameter.descriptor])

  static func reuse(_ clause: Clause, in rule: RuleContext) -> Reuse {
    let carried = rule.carried(
      .site(.output) - .site(.input), named: "delta", storage: StorageParameter.type(of: clause))
    return Reuse(slots: carried.slots, value: .site(.input) + carried.value)
  }
}

/// The `as TYPE` of clauses that keep tensors.
enum StorageParameter {
  static let descriptor = ParameterDescriptor(
    "storage", label: "as", .word(StorageType.allCases.map(\.rawValue)),
    summary: "the type to store it in; without it, the model's own")

  static func type(of clause: Clause) -> StorageType? {
    clause.word("storage").flatMap(StorageType.init(rawValue:))
  }
}
