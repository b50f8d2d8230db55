/// Finds for each number of computed steps the list that a replay likes best.
///
/// A dynamic program over (number of computed steps, last of them). The error of a prefix is a vector
/// whose parts may cancel later, so each cell keeps several prefixes; where the errors of different
/// stretches are orthogonal, one would do and the lists are optimal.
public struct StepListSearch: Sendable {
  private let stepCount: Int
  private let weights: [Double]
  private let products: [Double]
  private let forecast: Forecast
  private let width: Int

  /// A search that keeps `width` prefixes in each cell.
  public init(_ replay: Replay, forecast: Forecast, width: Int = 8) {
    stepCount = replay.stepCount
    weights = replay.weights
    products = replay.guidedProducts()
    self.forecast = forecast
    self.width = width
  }

  /// The best list of each number of computed steps from 1 to `most`.
  public func lists(upTo most: Int) -> [[Int]] {
    var cells: [[Prefix]] = [[Prefix(forecast, stepCount: stepCount)]]
    var result: [[Int]] = []
    for count in 1...max(1, min(most, stepCount)) {
      var next = [[Prefix]](repeating: [], count: stepCount)
      var best: (cost: Double, list: [Int])?
      for prefix in cells.joined() {
        var reused = prefix
        for step in prefix.last + 1..<stepCount {
          if count < most {
            insert(reused.computing(step), into: &next[step])
          }
          reused.reuse(step, weights[step], products, stepCount)
        }
        if best.map({ reused.cost < $0.cost }) ?? true { best = (reused.cost, prefix.steps) }
      }
      if let best { result.append(best.list) }
      cells = next
    }
    return result
  }

  private func insert(_ prefix: Prefix, into cell: inout [Prefix]) {
    if cell.count == width, let worst = cell.last, worst.cost <= prefix.cost { return }
    let place = cell.firstIndex { $0.cost > prefix.cost } ?? cell.count
    cell.insert(prefix, at: place)
    if cell.count > width { cell.removeLast() }
  }

  /// A list up to its last computed step, and its error so far.
  private struct Prefix {
    private(set) var steps = [0]
    /// The squared norm of the error.
    private(set) var cost = 0.0
    /// The products of all predictions with the error.
    private var response: [Double]
    private var state: ForecastState

    var last: Int { state.last }

    init(_ forecast: Forecast, stepCount: Int) {
      response = [Double](repeating: 0, count: stepCount)
      state = ForecastState(forecast)
      state.compute(0)
    }

    func computing(_ step: Int) -> Prefix {
      var longer = self
      longer.steps.append(step)
      longer.state.compute(step)
      return longer
    }

    mutating func reuse(
      _ step: Int, _ weight: Double, _ products: [Double], _ stepCount: Int
    ) {
      var error = state.value(at: step)
      error.add(Combination([(step, 1)]), times: -1)
      for (i, a) in error.terms {
        cost += 2 * weight * a * response[i]
        for (j, b) in error.terms {
          cost += weight * weight * a * b * products[i * stepCount + j]
        }
      }
      for (i, a) in error.terms {
        for j in 0..<stepCount { response[j] += weight * a * products[i * stepCount + j] }
      }
    }
  }
}
