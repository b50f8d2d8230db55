/// What stands in for a kept value at reused steps.
public enum Forecast: Hashable, Sendable {
  /// The value of the last computed step.
  case last
  /// A Taylor series of divided differences: TaylorSeer, the language's `forecast taylor`.
  case taylor(order: Int)

  /// The clause that asks for it; nil where reuse is plain.
  public var clause: String? {
    switch self {
    case .last: nil
    case .taylor(let order): "forecast taylor order \(order)"
    }
  }

  var order: Int {
    switch self {
    case .last: 0
    case .taylor(let order): order
    }
  }
}

/// The weighted values of a few steps, summed.
struct Combination: Hashable, Sendable {
  private(set) var terms: [(step: Int, weight: Double)]

  init(_ terms: [(step: Int, weight: Double)] = []) {
    self.terms = terms
  }

  mutating func add(_ other: Combination, times factor: Double) {
    for (step, weight) in other.terms {
      if let place = terms.firstIndex(where: { $0.step == step }) {
        terms[place].weight += factor * weight
      } else {
        terms.append((step, factor * weight))
      }
    }
  }

  func scaled(_ factor: Double) -> Combination {
    Combination(terms.map { ($0.step, factor * $0.weight) })
  }

  static func == (one: Combination, other: Combination) -> Bool {
    one.terms.elementsEqual(other.terms) { $0 == $1 }
  }

  func hash(into hasher: inout Hasher) {
    for term in terms { hasher.combine(term.step) }
  }
}

/// What a forecast knows after some computed steps, as combinations of their values.
///
/// f₀ is the value, f_k = (f_{k−1} − its value before) / (steps between the last two computed ones),
/// and x steps later Σ f_k · x^k / k! stands in (github.com/Shenyi-Z/TaylorSeer, taylor_utils).
struct ForecastState: Sendable {
  private let order: Int
  private var differences: [Combination] = []
  private(set) var last = 0

  init(_ forecast: Forecast) {
    order = forecast.order
  }

  /// Takes in a computed step.
  mutating func compute(_ step: Int) {
    var updated = [Combination([(step, 1)])]
    let elapsed = Double(step - last)
    for k in 0..<min(order, differences.count) {
      var difference = updated[k]
      difference.add(differences[k], times: -1)
      updated.append(difference.scaled(1 / elapsed))
    }
    differences = updated
    last = step
  }

  /// What stands in for the value of a later step.
  func value(at step: Int) -> Combination {
    var result = Combination()
    var factor = 1.0
    for (k, difference) in differences.enumerated() {
      if k > 0 { factor *= Double(step - last) / Double(k) }
      result.add(difference, times: factor)
    }
    return result
  }
}
