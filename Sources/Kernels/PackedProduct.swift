import CVectorKernels
import Tensors

/// Products of float32 matrices by our own kernels: the right matrix is packed a few columns at a
/// time, the sums stay in registers, and what follows the product is applied while its rows are in
/// the cache.
struct PackedProduct {
  /// The left matrix; rows are dense.
  let left: MatrixView<Float>
  /// The right matrix, either way round.
  let right: MatrixView<Float>
  /// The result; rows are dense.
  let output: MatrixView<Float>

  /// Rows below which reading the right matrix once, as BLAS does, is faster than packing it.
  static let minimumRows = 8

  /// Columns that one piece of work packs at most.
  private static let maximumColumns = 384

  /// A product; nil when the matrices lie differently or are too small.
  init?(_ left: MatrixView<Float>, _ right: MatrixView<Float>, into output: MatrixView<Float>) {
    guard !left.isTransposed, !output.isTransposed, left.rows >= Self.minimumRows,
      left.columns > 0, right.columns >= Self.minimumRows
    else { return nil }
    self.left = left
    self.right = right
    self.output = output
  }

  /// Computes the product, and `epilogue` on its rows, on as many threads as it is worth.
  ///
  /// With `rounded`, the rows of the left matrix as bfloat16, factors are rounded to bfloat16.
  func run(
    _ epilogue: UnsafePointer<ditc_epilogue>? = nil, rounded: RoundedRows? = nil
  ) {
    let product = ditc_gemm(
      a: left.base, aStride: left.leadingDimension, rows: left.rows, depth: left.columns,
      b: right.base, bStride: right.leadingDimension, bIsTransposed: right.isTransposed ? 1 : 0,
      c: output.base, cStride: output.leadingDimension, epilogue: epilogue)
    nonisolated(unsafe) let whole = product
    let columns = columnsPerItem
    let columnItems = (output.columns + columns - 1) / columns
    let rowItems = Swift.max(
      1, Swift.min(Parallel.threadCount / columnItems, output.rows / (4 * Self.minimumRows)))
    let rows = (output.rows + rowItems - 1) / rowItems
    let cost = rows * Swift.min(columns, output.columns) / 64 * left.columns / 2 + 1
    Parallel.forEachItem(of: columnItems * rowItems, operationsPerItem: cost) { item in
      let firstColumn = item % columnItems * columns
      let firstRow = item / columnItems * rows
      let count = Swift.min(columns, output.columns - firstColumn)
      var part = whole
      part.a += firstRow * part.aStride
      part.c += firstRow * part.cStride
      part.rows = Swift.min(rows, output.rows - firstRow)
      guard part.rows > 0 else { return }
      var shifted = epilogue?.pointee ?? ditc_epilogue()
      shifted.firstRow += firstRow
      withUnsafePointer(to: shifted) {
        part.epilogue = epilogue == nil ? nil : $0
        if let rounded {
          rounded.run(part, firstRow: firstRow, firstColumn, count)
        } else {
          Self.run(part, firstColumn, count)
        }
      }
    }
  }

  private static func run(_ part: ditc_gemm, _ firstColumn: Int, _ columns: Int) {
    let capacity = ditc_f32_gemm_scratch(part.depth, columns)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: capacity) { scratch in
      guard let scratch = scratch.baseAddress else { return }
      withUnsafePointer(to: part) { ditc_f32_gemm($0, firstColumn, columns, scratch) }
    }
  }

  /// A few pieces for each thread, in whole panels.
  private var columnsPerItem: Int {
    let panel = ditc_panel_width()
    let share = (output.columns + 4 * Parallel.threadCount - 1) / (4 * Parallel.threadCount)
    let least = Swift.max(panel, Swift.min(128, Self.maximumColumns))
    let wanted = Swift.max(least, Swift.min(share, Self.maximumColumns))
    return (wanted + panel - 1) / panel * panel
  }
}
