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
    parameters: [
      ParameterDescriptor(
        "storage", label: "as", .word(StorageType.allCases.map(\.rawValue)),
        summary: "the type to store it in; without it, the model's own")
    ])

  static func reuse(_ clause: Clause, in rule: RuleContext) -> Reuse {
    Reuse(
      slots: [
        Slot(
          name: "delta", update: .site(.output) - .site(.input),
          storage: clause.word("storage").flatMap(StorageType.init(rawValue:)))
      ],
      value: .site(.input) + .slot("delta"))
  }
}
