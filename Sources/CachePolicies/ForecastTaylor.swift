import ScheduleLanguage

/// TaylorSeer's forecast (github.com/Shenyi-Z/TaylorSeer, taylor_utils): divided differences at
/// computed steps, Σ f_k · x^k / k! at reused ones, x being the steps since the last computed one.
///
/// f₀ is the feature; f_k = (f_{k−1} − its value before) / (steps between the last two computed
/// ones), as soon as it has a value before and the step is not below `from`; 0 until then.
struct ForecastTaylor: ForecastPrimitive {
  static let descriptor = ClauseDescriptor(
    keyword: "forecast taylor",
    summary: "Carries what was kept on by a Taylor series of its differences.",
    parameters: [DifferenceSlots.order, DifferenceSlots.from])

  static func forecast(
    of feature: Expression, named name: String, storage: StorageType?, _ clause: Clause
  ) -> Reuse {
    let differences = DifferenceSlots(of: feature, named: name, storage: storage, clause)
    var power: Expression = .number(1)
    var factorial = 1.0
    let terms = differences.names.enumerated().map { k, slot in
      guard k > 0 else { return Expression.slot(slot) }
      power = k == 1 ? .elapsed : power * .elapsed
      factorial *= Double(k)
      return .slot(slot) * (power / .number(factorial))
    }
    return Reuse(slots: differences.slots, value: .sum(terms))
  }
}

/// The slots of a feature and its divided differences.
struct DifferenceSlots {
  static let order = ParameterDescriptor(
    "order", label: "order", .integer(0...4), summary: "the highest difference",
    default: .integer(1))
  static let from = ParameterDescriptor(
    "from", label: "from", .integer(0...Limits.stepCount), unit: "scheduler steps",
    summary: "the first step at which differences are taken", default: .integer(0))

  let names: [String]
  let slots: [Slot]

  init(of feature: Expression, named name: String, storage: StorageType?, _ clause: Clause) {
    let order = clause.integer("order") ?? 1
    let count = "\(name)_order"
    let isLate: Expression = .step >= .integer(clause.integer("from") ?? 0)
    let takes: Expression = .control(.valid) && isLate
    names = (0...order).map { $0 == 0 ? name : "\(name)_\($0)" }
    var slots: [Slot] = []
    var difference = feature
    for (k, own) in names.enumerated() {
      if k == 0 {
        slots.append(Slot(name: own, update: feature, storage: storage))
        continue
      }
      difference = (difference - .slot(names[k - 1])) / .elapsed
      let has = k == 1 ? takes : takes && .slot(count) >= .integer(k - 1)
      slots.append(
        Slot(name: own, update: has.then(difference, else: 0), storage: storage))
    }
    if order > 1 {
      var known = Slot(name: count, initial: 0)
      known.computed = takes.then(.call(.min, [.slot(count) + 1, .integer(order)]), else: 0)
      slots.append(known)
    }
    self.slots = slots
  }
}
