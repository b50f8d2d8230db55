import Tensors

/// A walk over the elements of a shape in row-major order, following up to four operands at once.
///
/// Neighbouring axes are merged where all operands allow it, so the innermost axis, a *row*, is as
/// long as can be. Positions are counted in elements.
struct StridedLoop {
  /// Merged dimensions, outermost first; never empty.
  private(set) var dimensions: [Int] = []

  /// One vector per merged axis: how far each operand moves with one step along it.
  private(set) var strides: [SIMD4<Int>] = []

  /// A walk over `shape`, to which every operand broadcasts by ONNX's multidirectional rule.
  init(over shape: Shape, _ operands: Tensor...) {
    self.init(dimensions: shape.dimensions) { axis in
      var steps = SIMD4<Int>.zero
      for (number, operand) in operands.enumerated() {
        let own = axis - (shape.rank - operand.rank)
        if own >= 0, operand.shape[own] != 1 { steps[number] = operand.strides[own] }
      }
      return steps
    }
  }

  /// A walk over unmerged dimensions and their steps.
  init(dimensions: [Int], steps: (Int) -> SIMD4<Int>) {
    for axis in dimensions.indices where dimensions[axis] != 1 {
      let step = steps(axis)
      if let last = strides.last, last == step &* SIMD4(repeating: dimensions[axis]) {
        self.dimensions[self.dimensions.count - 1] *= dimensions[axis]
        strides[strides.count - 1] = step
      } else {
        self.dimensions.append(dimensions[axis])
        strides.append(step)
      }
    }
    if self.dimensions.isEmpty {
      self.dimensions = [1]
      strides = [SIMD4(repeating: 1)]
    }
  }

  /// The number of elements walked over.
  var count: Int { dimensions.reduce(1, *) }

  /// The length of a row.
  var rowCount: Int { dimensions[dimensions.count - 1] }

  /// How far each operand moves from one element of a row to the next.
  var rowStrides: SIMD4<Int> { strides[strides.count - 1] }

  /// Where each operand's element of a number in row-major order is.
  func places(of position: Int) -> SIMD4<Int> {
    var (places, rest) = (SIMD4<Int>.zero, position)
    for axis in stride(from: dimensions.count - 1, through: 0, by: -1) {
      places &+= strides[axis] &* SIMD4(repeating: rest % dimensions[axis])
      rest /= dimensions[axis]
    }
    return places
  }

  /// Calls `body` with each row, or part of a row, of a range of elements.
  ///
  /// - Parameters:
  ///   - range: Element numbers in row-major order.
  ///   - body: Receives the number of the first element, where each operand's first element is, and
  ///     how many elements follow one another.
  @inline(__always)
  func forEachRow(
    in range: Range<Int>,
    _ body: (_ position: Int, _ operands: SIMD4<Int>, _ count: Int) -> Void
  ) {
    guard !range.isEmpty else { return }
    let last = dimensions.count - 1
    var index = [Int](repeating: 0, count: dimensions.count)
    var operands = SIMD4<Int>.zero
    var rest = range.lowerBound
    for axis in stride(from: last, through: 0, by: -1) {
      index[axis] = rest % dimensions[axis]
      rest /= dimensions[axis]
      operands &+= strides[axis] &* SIMD4(repeating: index[axis])
    }
    var position = range.lowerBound
    while true {
      let count = Swift.min(dimensions[last] - index[last], range.upperBound - position)
      body(position, operands, count)
      position += count
      guard position < range.upperBound else { return }
      operands &-= strides[last] &* SIMD4(repeating: index[last])
      index[last] = 0
      var axis = last - 1
      while axis >= 0 {
        index[axis] += 1
        operands &+= strides[axis]
        if index[axis] < dimensions[axis] { break }
        operands &-= strides[axis] &* SIMD4(repeating: dimensions[axis])
        index[axis] = 0
        axis -= 1
      }
    }
  }
}
