import Tensors

extension MatrixMultiplication {
  /// Where the matrices of a stack lie: its leading axes, and the last two.
  private struct Stack {
    let tensor: Tensor
    let batch: [Int]
    let batchStrides: [Int]
    let rows: Int
    let columns: Int
    let rowStride: Int
    let columnStride: Int

    /// A vector is one row (`isLeft`) or one column.
    init(_ tensor: Tensor, isLeft: Bool) {
      self.tensor = tensor
      let rank = tensor.rank
      guard rank > 1 else {
        (batch, batchStrides) = ([], [])
        (rows, columns) = isLeft ? (1, tensor.shape[0]) : (tensor.shape[0], 1)
        (rowStride, columnStride) = isLeft ? (0, tensor.strides[0]) : (tensor.strides[0], 0)
        return
      }
      batch = Array(tensor.shape.dimensions.prefix(rank - 2))
      batchStrides = Array(tensor.strides.prefix(rank - 2))
      (rows, columns) = (tensor.shape[rank - 2], tensor.shape[rank - 1])
      (rowStride, columnStride) = (tensor.strides[rank - 2], tensor.strides[rank - 1])
    }

    /// How far the stack moves along one axis of a batch of `rank` axes.
    func stride(_ axis: Int, of rank: Int) -> Int {
      let own = axis - (rank - batch.count)
      return own >= 0 && batch[own] != 1 ? batchStrides[own] : 0
    }

    /// All rows of all matrices as one axis; nil when they are not evenly spaced.
    var rowsOfAll: (count: Int, stride: Int)? {
      let loop = StridedLoop(dimensions: batch + [rows]) {
        SIMD4($0 < batch.count ? batchStrides[$0] : rowStride, 0, 0, 0)
      }
      return loop.dimensions.count == 1 ? (loop.rowCount, loop.rowStrides[0]) : nil
    }
  }

  /// Multiplies on BLAS; the output is contiguous.
  static func blas<Element: BLASElement>(
    _ type: Element.Type, _ a: Tensor, _ b: Tensor, _ output: Tensor, alpha: Element = 1,
    beta: Element = 0
  ) throws(KernelError) {
    let left = try addressable(type, a, isLeft: true)
    let right = try addressable(type, b, isLeft: false)
    defer { withExtendedLifetime((left.tensor, right.tensor)) {} }
    let (rows, inner, columns) = (left.rows, left.columns, right.columns)
    let result = output.pointer(as: type)
    let batchCount = rows * columns == 0 ? 0 : output.elementCount / (rows * columns)
    guard batchCount > 0 else { return }
    if batchCount > 1, right.batch.allSatisfy({ $0 == 1 }), let all = left.rowsOfAll,
      all.count == batchCount * rows,
      let whole = MatrixView(
        left.tensor.pointer(as: type), rows: all.count, columns: inner, rowStride: all.stride,
        columnStride: left.columnStride),
      let other = matrix(type, right, at: 0),
      let target = MatrixView(
        result, rows: all.count, columns: columns, rowStride: columns, columnStride: 1)
    {
      try MatrixProduct.check(whole, other, target)
      return MatrixProduct.run(alpha, whole, other, beta, into: target)
    }
    let rank = Swift.max(left.batch.count, right.batch.count)
    let batch = broadcastBatch(left, right)
    let loop = StridedLoop(dimensions: batch) { axis in
      SIMD4(left.stride(axis, of: rank), right.stride(axis, of: rank), 0, 0)
    }
    guard let x = matrix(type, left, at: 0), let y = matrix(type, right, at: 0),
      let z = MatrixView(result, rows: rows, columns: columns, rowStride: columns, columnStride: 1)
    else { preconditionFailure("addressable matrices have become unaddressable") }
    try MatrixProduct.check(x, y, z)
    let cost = rows * columns / MatrixProduct.operationsPerNanosecond * Swift.max(inner, 1) + 1
    let matrixCost = batchCount >= Parallel.threadCount ? cost : 0
    Parallel.forEachPart(of: batchCount, operationsPerItem: matrixCost) { range in
      loop.forEachRow(in: range) { position, places, count in
        for i in 0..<count {
          guard
            let x = matrix(type, left, at: places[0] + i * loop.rowStrides[0]),
            let y = matrix(type, right, at: places[1] + i * loop.rowStrides[1]),
            let z = MatrixView(
              result + (position + i) * rows * columns, rows: rows, columns: columns,
              rowStride: columns, columnStride: 1)
          else { return }
          MatrixProduct.run(alpha, x, y, beta, into: z)
        }
      }
    }
  }

  /// Multiplies integers, wrapping around, a row of the output at a time.
  static func integers<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type, _ a: Tensor, _ b: Tensor, _ output: Tensor
  ) {
    let (left, right) = (Stack(a, isLeft: true), Stack(b, isLeft: false))
    let (rows, inner, columns) = (left.rows, left.columns, right.columns)
    let result = output.pointer(as: type)
    let rank = Swift.max(left.batch.count, right.batch.count)
    let loop = StridedLoop(dimensions: broadcastBatch(left, right) + [rows]) { axis in
      axis == rank
        ? SIMD4(left.rowStride, 0, 0, 0)
        : SIMD4(left.stride(axis, of: rank), right.stride(axis, of: rank), 0, 0)
    }
    let (x, y) = (a.pointer(as: type), b.pointer(as: type))
    Parallel.forEachPart(
      of: output.elementCount / columns, operationsPerItem: Swift.max(1, inner) * columns
    ) { range in
      loop.forEachRow(in: range) { position, places, count in
        for row in 0..<count {
          let target = result + (position + row) * columns
          target.update(repeating: 0, count: columns)
          let from = x + places[0] + row * loop.rowStrides[0]
          for k in 0..<inner {
            let factor = from[k * left.columnStride]
            let other = y + places[1] + row * loop.rowStrides[1] + k * right.rowStride
            for column in 0..<columns {
              target[column] = target[column] &+ factor &* other[column * right.columnStride]
            }
          }
        }
      }
    }
  }

  /// The batch axes of the product, leading ones of the longer operand included.
  private static func broadcastBatch(_ a: Stack, _ b: Stack) -> [Int] {
    let rank = Swift.max(a.batch.count, b.batch.count)
    return (0..<rank).map { axis in
      let x = axis < rank - a.batch.count ? 1 : a.batch[axis - (rank - a.batch.count)]
      let y = axis < rank - b.batch.count ? 1 : b.batch[axis - (rank - b.batch.count)]
      return x == 1 ? y : x
    }
  }

  /// The stack as it is when BLAS can address its matrices, else a contiguous copy.
  private static func addressable<Element: BLASElement>(
    _ type: Element.Type, _ tensor: Tensor, isLeft: Bool
  ) throws(KernelError) -> Stack {
    let stack = Stack(tensor, isLeft: isLeft)
    if matrix(type, stack, at: 0) != nil { return stack }
    return try Stack(Copying.contiguous(tensor), isLeft: isLeft)
  }

  private static func matrix<Element: BLASElement>(
    _ type: Element.Type, _ stack: Stack, at place: Int
  ) -> MatrixView<Element>? {
    MatrixView(
      stack.tensor.pointer(as: type) + place, rows: stack.rows, columns: stack.columns,
      rowStride: stack.rowStride, columnStride: stack.columnStride)
  }
}
