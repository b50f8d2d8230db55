import ScheduleLanguage

/// HiCache's forecast: TaylorSeer's differences with a scaled Hermite basis,
/// f₀ + Σ f_k · σ^k / k! · H_k(σ·x), H the physicists' polynomials (github.com/yiming-l21/CFGCache).
struct ForecastHermite: ForecastPrimitive {
  static let descriptor = ClauseDescriptor(
    keyword: "forecast hermite",
    summary: "Carries what was kept on by Hermite polynomials of its differences.",
    parameters: [
      DifferenceSlots.order, DifferenceSlots.from,
      ParameterDescriptor(
        "scale", label: "scale", .number(0.01...10), summary: "the contraction sigma",
        default: .number(0.5)),
    ])

  static func forecast(
    of feature: Expression, named name: String, storage: StorageType?, _ clause: Clause
  ) -> Reuse {
    let differences = DifferenceSlots(of: feature, named: name, storage: storage, clause)
    let scale = clause.number("scale") ?? 0.5
    let argument: Expression = .elapsed * .number(scale)
    var basis: [Expression] = [.number(1), .number(2) * argument]
    var weight = 1.0
    let terms = differences.names.enumerated().map { k, slot in
      guard k > 0 else { return Expression.slot(slot) }
      if k > 1 {
        let last = Expression.number(2) * argument * basis[k - 1]
        basis.append(last - .number(2 * Double(k - 1)) * basis[k - 2])
      }
      weight *= scale / Double(k)
      return .slot(slot) * (basis[k] * .number(weight))
    }
    return Reuse(slots: differences.slots, value: .sum(terms))
  }
}
