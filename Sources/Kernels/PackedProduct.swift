import CVectorKernels
import Tensors

/// Products by our own kernels: the right matrix is packed a few columns at a time, the sums stay
/// in registers, and what follows the product is applied while its rows are in the cache.
struct PackedProduct {
  /// Where the rows of a result go; they are dense.
  struct Output {
    let base: UnsafeMutableRawPointer
    let type: Int32
    let stride: Int

    /// The address of an element.
    func address(_ row: Int, _ column: Int) -> UnsafeMutableRawPointer {
      base + (row * stride + column) * (type == Int32(DITC_F32) ? 4 : 2)
    }
  }

  private let left: LeftRows
  private let right: ditc_matrix
  private let columns: Int
  private let output: Output
  private let epilogue: ditc_epilogue?

  /// Rows below which reading the right matrix once, as BLAS does, is faster than packing it.
  static let minimumRows = 8

  /// Columns that one piece of work packs at most.
  private static let maximumColumns = 384

  /// Rows that one piece of work computes at most when their sums are kept apart from the result.
  private static let maximumNarrowRows = 2048

  /// A product of rows and a matrix of `columns` columns, and what follows it.
  init(
    _ left: LeftRows, _ right: ditc_matrix, columns: Int, into output: Output,
    _ epilogue: ditc_epilogue? = nil
  ) {
    self.epilogue = epilogue
    self.left = left
    self.right = right
    self.columns = columns
    self.output = output
  }

  /// A product of float32 matrices; nil when they lie differently or are too small.
  init?(_ left: MatrixView<Float>, _ right: MatrixView<Float>, into output: MatrixView<Float>) {
    guard !left.isTransposed, !output.isTransposed, left.rows >= Self.minimumRows,
      left.columns > 0, right.columns >= Self.minimumRows
    else { return nil }
    self.init(
      LeftRows(left),
      ditc_matrix(
        base: UnsafeRawPointer(right.base), type: Int32(DITC_F32),
        stride: right.leadingDimension, isTransposed: right.isTransposed ? 1 : 0),
      columns: right.columns,
      into: Output(
        base: UnsafeMutableRawPointer(output.base), type: Int32(DITC_F32),
        stride: output.leadingDimension))
  }

  /// Pieces of work of one size that a product is cut into, row by row.
  private struct Pieces {
    let rows: Int
    let columns: Int
    let inRow: Int
    let count: Int
    /// About how many nanoseconds one takes.
    let cost: Int
  }

  /// Computes the product on as many threads as it is worth.
  func run() {
    let pieces = pieces
    Parallel.forEachItem(of: pieces.count, operationsPerItem: pieces.cost) { run($0, of: pieces) }
  }

  /// Computes the product on the calling thread alone.
  func runOnThisThread() {
    let pieces = pieces
    for item in 0..<pieces.count { run(item, of: pieces) }
  }

  /// Computes products, the pieces of all handed out together.
  static func run(_ products: [PackedProduct]) {
    if products.count == 1 { return products[0].run() }
    // Small pieces at the end leave threads idle for less.
    let work = products.map { (product: $0, pieces: $0.pieces) }
      .sorted { $0.pieces.cost > $1.pieces.cost }
    let count = work.reduce(0) { $0 + $1.pieces.count }
    let cost = work.reduce(0) { $0 + $1.pieces.count * $1.pieces.cost }
    Parallel.forEachItem(of: count, operationsPerItem: cost / Swift.max(1, count)) { item in
      var (rest, position) = (item, 0)
      while rest >= work[position].pieces.count {
        rest -= work[position].pieces.count
        position += 1
      }
      work[position].product.run(rest, of: work[position].pieces)
    }
  }

  private var pieces: Pieces {
    let width = columnsPerItem
    let inRow = (columns + width - 1) / width
    let rowItems = Swift.max(
      1, Swift.min(Parallel.threadCount / inRow, left.rows / (4 * Self.minimumRows)))
    let share = (left.rows + rowItems - 1) / rowItems
    let rows = output.type == Int32(DITC_F32) ? share : Swift.min(share, Self.maximumNarrowRows)
    return Pieces(
      rows: rows, columns: width, inRow: inRow, count: inRow * ((left.rows + rows - 1) / rows),
      cost: rows * Swift.min(width, columns) / 64 * left.columns / 2 + 1)
  }

  private func run(_ item: Int, of pieces: Pieces) {
    let firstRow = item / pieces.inRow * pieces.rows
    let firstColumn = item % pieces.inRow * pieces.columns
    let rows = firstRow..<Swift.min(firstRow + pieces.rows, left.rows)
    let columns = firstColumn..<Swift.min(firstColumn + pieces.columns, self.columns)
    var part = ditc_gemm()
    part.rows = rows.count
    part.b = right
    let target = output.address(rows.lowerBound, columns.lowerBound)
    var sumCount = 0
    if output.type == Int32(DITC_F32) {
      part.c = target.bound(Float.self)
      part.cStride = output.stride
    } else {
      sumCount = rows.count * columns.count
      part.cStride = columns.count
      part.narrow = target
      part.narrowType = output.type
      part.narrowStride = output.stride
    }
    let isPacked = right.type == Int32(DITC_PANELS)
    let panelByteCount = isPacked ? 0 : (left.scratchByteCount(columns.count) + 63) / 64 * 64
    withUnsafeTemporaryAllocation(
      byteCount: panelByteCount + 4 * sumCount + 64, alignment: 64
    ) { scratch in
      guard let scratch = scratch.baseAddress else { return }
      if sumCount > 0 { part.c = (scratch + panelByteCount).bound(Float.self) }
      var steps = epilogue ?? ditc_epilogue()
      steps.firstRow += rows.lowerBound
      withUnsafePointer(to: steps) {
        part.epilogue = epilogue == nil ? nil : $0
        left.run(part, firstRow: rows.lowerBound, columns.lowerBound, columns.count, scratch)
      }
    }
  }

  /// A few pieces for each thread, in whole panels.
  private var columnsPerItem: Int {
    let panel = ditc_panel_width()
    let share = (columns + 4 * Parallel.threadCount - 1) / (4 * Parallel.threadCount)
    let least = Swift.max(panel, Swift.min(128, Self.maximumColumns))
    let wanted = Swift.max(least, Swift.min(share, Self.maximumColumns))
    return (wanted + panel - 1) / panel * panel
  }
}
