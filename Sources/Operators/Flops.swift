import GraphIR
import Tensors

/// Costs of the operators whose cost counts; a multiply-add is 2.
enum Flops {
  /// Each output element of a matrix product sums `inner` products; nil when a size is unknown or
  /// the count does not fit.
  static func product(_ output: ValueFact?, inner: Dimension?) -> Int? {
    guard let elements = output?.type.tensor?.concreteShape?.elementCount,
      let inner = inner?.value
    else { return nil }
    return count(2, elements, inner)
  }

  /// The product, nil when it does not fit.
  static func count(_ factors: Int...) -> Int? {
    try? Checked.product(of: factors)
  }
}
