import CVectorKernels

/// A copy of four-byte words whose fastest axis is one axis in the input and another in the output.
struct Transposition {
  private let rows: Int
  private let columns: Int
  private let inputStride: Int
  private let outputStride: Int
  private let outer: StridedLoop

  private static let tile = 32

  /// A plan for a walk with the output as its first and the input as its second operand; nil when
  /// the walk is no transposition.
  init?(_ loop: StridedLoop) {
    let last = loop.dimensions.count - 1
    guard loop.rowStrides[0] == 1, loop.rowStrides[1] > 1, loop.dimensions[last] >= 4,
      let fast = loop.strides.firstIndex(where: { $0[1] == 1 }), loop.dimensions[fast] >= 4
    else { return nil }
    rows = loop.dimensions[last]
    columns = loop.dimensions[fast]
    inputStride = loop.strides[last][1]
    outputStride = loop.strides[fast][0]
    let others = loop.dimensions.indices.filter { $0 != last && $0 != fast }
    let strides = loop.strides
    outer = StridedLoop(dimensions: others.map { loop.dimensions[$0] }) { strides[others[$0]] }
  }

  /// Does the copy.
  func run(_ input: UnsafeMutablePointer<UInt32>, _ output: UnsafeMutablePointer<UInt32>) {
    let tiles = (columns + Self.tile - 1) / Self.tile
    let work = outer.count * tiles
    Parallel.forEachPart(of: work, operationsPerItem: rows * Self.tile) { range in
      var item = range.lowerBound
      while item < range.upperBound {
        let matrix = item / tiles
        let end = Swift.min(range.upperBound, (matrix + 1) * tiles)
        let first = (item - matrix * tiles) * Self.tile
        let count = Swift.min((end - matrix * tiles) * Self.tile, columns) - first
        outer.forEachRow(in: matrix..<matrix + 1) { _, places, _ in
          ditc_u32_transpose(
            input + places[1] + first, inputStride,
            output + places[0] + first * outputStride, outputStride, rows, count)
        }
        item = end
      }
    }
  }
}
