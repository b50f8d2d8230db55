import TestSupport
import Tuning

/// Trajectories whose predictions are known vectors.
enum Trajectories {
  /// One call a step; each vector is the one before, a drift, and noise that fades.
  static func wandering(steps: Int, width: Int, seed: UInt64) -> Trajectory {
    var random = SplitMix(seed: seed)
    var value = (0..<width).map { _ in random.symmetric() }
    let drift = (0..<width).map { _ in random.symmetric() }
    var rows: [[Double]] = []
    for step in 0..<steps {
      rows.append(value)
      let pace = 1 / Double(1 + step)
      value = zip(value, drift).map { $0 + $1 * pace + 0.3 * pace * random.symmetric() }
    }
    return trajectory(rows, mixing: [1])
  }

  /// Given vectors, those of one step side by side.
  static func trajectory(_ rows: [[Double]], mixing: [Double]) -> Trajectory {
    var products: [Double] = []
    for one in rows {
      for other in rows { products.append(zip(one, other).reduce(0) { $0 + $1.0 * $1.1 }) }
    }
    return Trajectory(
      stepCount: rows.count / mixing.count, mixing: mixing, products: products,
      elementCount: rows.first?.count ?? 0)
  }

  /// Unit vectors that are orthogonal to each other.
  static func orthogonal(steps: Int) -> Trajectory {
    trajectory(
      (0..<steps).map { step in (0..<steps).map { $0 == step ? 1.0 : 0 } }, mixing: [1])
  }
}

extension SplitMix {
  /// A number from −1 to 1.
  mutating func symmetric() -> Double { Double.random(in: -1...1, using: &self) }
}
