import GraphIR

/// Which indices of one axis a slice takes.
struct SliceExtent {
  /// The first index; meaningless when there is none.
  let first: Int
  /// How many indices there are.
  let count: Int

  /// The indices from `start` towards `end`, which is left out.
  ///
  /// Negative bounds count from the end of the axis; bounds outside it are moved to it, so that
  /// the largest and smallest integers mean "all".
  init(of size: Int, from start: Int, to end: Int, by step: Int) throws(OperatorError) {
    guard step != 0 else { throw .badOperands("a slice has the step 0") }
    func bound(_ bound: Int, within range: ClosedRange<Int>) -> Int {
      let absolute = bound < 0 ? bound + size : bound
      return Swift.min(Swift.max(absolute, range.lowerBound), range.upperBound)
    }
    let distance: Int
    if step > 0 {
      first = bound(start, within: 0...size)
      distance = bound(end, within: 0...size) - first
    } else {
      first = bound(start, within: Swift.min(0, size - 1)...(size - 1))
      distance = first - bound(end, within: -1...(size - 1))
    }
    count = distance <= 0 ? 0 : Int((UInt(distance) - 1) / step.magnitude) + 1
  }

  /// The number of indices when some of the numbers are expressions.
  ///
  /// Bounds of a symbolic axis are taken to lie inside it, as exporters guarantee; actual sizes
  /// are handled when types are inferred with numbers.
  static func count(
    of size: Dimension, from start: Dimension, to end: Dimension, by step: Int
  ) throws(OperatorError) -> Dimension {
    if let size = size.value, let start = start.value, let end = end.value {
      return Dimension(try SliceExtent(of: size, from: start, to: end, by: step).count)
    }
    guard step != 0 else { throw .badOperands("a slice has the step 0") }
    let first = absolute(start, of: size, last: step > 0 ? size : size - 1, none: 0)
    let past = absolute(
      end, of: size, last: step > 0 ? size : size - 1, none: step > 0 ? 0 : Dimension(-1))
    let distance = step > 0 ? past - first : first - past
    if let distance = distance.value, distance <= 0 { return 0 }
    guard let stride = Int(exactly: step.magnitude), stride > 1 else { return distance }
    return (distance + Dimension(stride - 1)).floorDivided(by: Dimension(stride)) ?? distance
  }

  /// Bounds as large as these mean "to the end" in every exporter; no axis is as long.
  private static let endless = 1 << 31 - 1

  private static func absolute(
    _ bound: Dimension, of size: Dimension, last: Dimension, none: Dimension
  ) -> Dimension {
    guard let number = bound.value else {
      return (Dimension(0) - bound).isCertainlyNotNegative ? size + bound : bound
    }
    if number >= endless { return last }
    if number <= -endless { return none }
    let result = number < 0 ? size + bound : bound
    guard let index = result.value, let least = none.value, let most = last.value else {
      return result
    }
    return Dimension(Swift.min(Swift.max(index, least), most))
  }
}
