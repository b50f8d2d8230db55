import ScheduleLanguage

/// Linear extrapolation from the last two computed steps: newer + w·(newer − older), the same
/// distance whatever lies between; plain reuse until two steps were computed.
///
/// FasterCache's dynamic feature reuse with a fixed weight (github.com/Vchitect/FasterCache).
struct ForecastLinear: ForecastPrimitive {
  static let descriptor = ClauseDescriptor(
    keyword: "forecast linear",
    summary: "Carries what was kept on by a part of its last change.",
    parameters: [
      ParameterDescriptor(
        "weight", label: "weight", .number(-10...10), summary: "the part of the last change",
        default: .number(0.5))
    ])

  static func forecast(
    of feature: Expression, named name: String, storage: StorageType?, _ clause: Clause
  ) -> Reuse {
    let before = "\(name)_before"
    let newer = Expression.slot(name)
    let older = Expression.control(.valid).then(newer, else: feature)
    return Reuse(
      slots: [
        Slot(name: name, update: feature, storage: storage),
        Slot(name: before, update: older, storage: storage),
      ],
      value: newer + .number(clause.number("weight") ?? 0.5) * (newer - .slot(before)))
  }
}
