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

  /// Rows below which reading the right matrix once, as BLAS does, is faster than packing it.
  static let minimumRows = 8

  /// Columns that one piece of work packs at most.
  private static let maximumColumns = 384

  /// Rows that one piece of work computes at most when their sums are kept apart from the result.
  private static let maximumNarrowRows = 2048

  /// A product of rows and a matrix of `columns` columns.
  init(_ left: LeftRows, _ right: ditc_matrix, columns: Int, into output: Output) {
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

  /// Computes the product, and `epilogue` on its rows, on as many threads as it is worth.
  func run(_ epilogue: UnsafePointer<ditc_epilogue>? = nil) {
    let isNarrow = output.type != Int32(DITC_F32)
    let width = columnsPerItem
    let columnItems = (columns + width - 1) / width
    let rowItems = Swift.max(
      1, Swift.min(Parallel.threadCount / columnItems, left.rows / (4 * Self.minimumRows)))
    let share = (left.rows + rowItems - 1) / rowItems
    let rows = isNarrow ? Swift.min(share, Self.maximumNarrowRows) : share
    let items = columnItems * ((left.rows + rows - 1) / rows)
    let cost = rows * Swift.min(width, columns) / 64 * left.columns / 2 + 1
    nonisolated(unsafe) let product = self
    nonisolated(unsafe) let steps = epilogue
    Parallel.forEachItem(of: items, operationsPerItem: cost) { item in
      let (firstRow, firstColumn) = (item / columnItems * rows, item % columnItems * width)
      product.run(
        firstRow..<Swift.min(firstRow + rows, product.left.rows),
        firstColumn..<Swift.min(firstColumn + width, product.columns), steps)
    }
  }

  private func run(
    _ rows: Range<Int>, _ columns: Range<Int>, _ epilogue: UnsafePointer<ditc_epilogue>?
  ) {
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
      var shifted = epilogue?.pointee ?? ditc_epilogue()
      shifted.firstRow += rows.lowerBound
      withUnsafePointer(to: shifted) {
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
