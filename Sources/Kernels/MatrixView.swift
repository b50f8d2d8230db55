import COpenBLAS
import Tensors

/// A matrix in memory as BLAS takes it: row-major, or the transposition of one.
struct MatrixView<Element> {
  let base: UnsafeMutablePointer<Element>
  let rows: Int
  let columns: Int
  let leadingDimension: Int
  let isTransposed: Bool

  /// A view of elements at `row * rowStride + column * columnStride`; nil when BLAS cannot address
  /// them so.
  init?(
    _ base: UnsafeMutablePointer<Element>, rows: Int, columns: Int, rowStride: Int,
    columnStride: Int
  ) {
    self.base = base
    self.rows = rows
    self.columns = columns
    if (columnStride == 1 || columns == 1) && (rowStride >= columns || rows == 1) {
      leadingDimension = rows == 1 ? columns : rowStride
      isTransposed = false
    } else if (rowStride == 1 || rows == 1) && (columnStride >= rows || columns == 1) {
      leadingDimension = columns == 1 ? rows : columnStride
      isTransposed = true
    } else {
      return nil
    }
  }

  /// The rows of a range.
  func rows(_ range: Range<Int>) -> MatrixView {
    MatrixView(
      self, advancedBy: range.lowerBound * (isTransposed ? 1 : leadingDimension),
      rows: range.count, columns: columns)
  }

  /// The columns of a range.
  func columns(_ range: Range<Int>) -> MatrixView {
    MatrixView(
      self, advancedBy: range.lowerBound * (isTransposed ? leadingDimension : 1),
      rows: rows, columns: range.count)
  }

  /// The same matrix seen the other way round.
  var transposed: MatrixView {
    MatrixView(
      base, rows: columns, columns: rows, leadingDimension: leadingDimension,
      isTransposed: !isTransposed)
  }

  private init(_ whole: MatrixView, advancedBy offset: Int, rows: Int, columns: Int) {
    self.init(
      whole.base + offset, rows: rows, columns: columns,
      leadingDimension: whole.leadingDimension, isTransposed: whole.isTransposed)
  }

  private init(
    _ base: UnsafeMutablePointer<Element>, rows: Int, columns: Int, leadingDimension: Int,
    isTransposed: Bool
  ) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.leadingDimension = leadingDimension
    self.isTransposed = isTransposed
  }
}

/// An element type that OpenBLAS multiplies matrices of.
protocol BLASElement: BinaryFloatingPoint, BitwiseCopyable {
  /// `output = alpha * a * b + beta * output` on the calling thread; sizes fit in `blasint`.
  static func multiply(
    _ alpha: Self, _ a: MatrixView<Self>, _ b: MatrixView<Self>, _ beta: Self,
    into output: MatrixView<Self>)
}

extension Float: BLASElement {
  static func multiply(
    _ alpha: Float, _ a: MatrixView<Float>, _ b: MatrixView<Float>, _ beta: Float,
    into output: MatrixView<Float>
  ) {
    if output.rows == 1 {
      return cblas_sgemv(
        CblasRowMajor, b.isTransposed ? CblasNoTrans : CblasTrans,
        blasint(b.isTransposed ? b.columns : b.rows), blasint(b.isTransposed ? b.rows : b.columns),
        alpha, b.base, blasint(b.leadingDimension), a.base,
        blasint(a.isTransposed ? a.leadingDimension : 1), beta, output.base, 1)
    }
    cblas_sgemm(
      CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans,
      b.isTransposed ? CblasTrans : CblasNoTrans, blasint(output.rows), blasint(output.columns),
      blasint(a.columns), alpha, a.base, blasint(a.leadingDimension), b.base,
      blasint(b.leadingDimension), beta, output.base, blasint(output.leadingDimension))
  }
}

extension Double: BLASElement {
  static func multiply(
    _ alpha: Double, _ a: MatrixView<Double>, _ b: MatrixView<Double>, _ beta: Double,
    into output: MatrixView<Double>
  ) {
    cblas_dgemm(
      CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans,
      b.isTransposed ? CblasTrans : CblasNoTrans, blasint(output.rows), blasint(output.columns),
      blasint(a.columns), alpha, a.base, blasint(a.leadingDimension), b.base,
      blasint(b.leadingDimension), beta, output.base, blasint(output.leadingDimension))
  }
}

/// Matrix products split among our threads.
enum MatrixProduct {
  /// Multiply-adds a core does in about a nanosecond.
  static let operationsPerNanosecond = 32

  /// Throws when a size or distance does not fit in the 32-bit integers of BLAS.
  static func check<Element>(_ matrices: MatrixView<Element>...) throws(KernelError) {
    for matrix in matrices {
      let largest = Swift.max(matrix.rows, matrix.columns, matrix.leadingDimension)
      guard largest <= Int(blasint.max) else {
        throw KernelError(
          .tooLarge,
          "a matrix of \(matrix.rows) × \(matrix.columns) elements has a dimension or row distance"
            + " beyond \(blasint.max)")
      }
    }
  }

  /// `output = alpha * a * b + beta * output` for checked matrices, on as many threads as it is
  /// worth.
  static func run<Element: BLASElement>(
    _ alpha: Element, _ a: MatrixView<Element>, _ b: MatrixView<Element>, _ beta: Element,
    into output: MatrixView<Element>
  ) {
    guard output.rows > 0, output.columns > 0 else { return }
    if alpha == 1, beta == 0, let a = a as? MatrixView<Float>, let b = b as? MatrixView<Float>,
      let output = output as? MatrixView<Float>, let packed = PackedProduct(a, b, into: output),
      ProductRates.usesOwn
    {
      return packed.run()
    }
    _ = Parallel.singleThreadedBLAS
    let inner = Swift.max(a.columns, 1)
    nonisolated(unsafe) let (a, b, output) = (a, b, output)
    if output.rows >= output.columns {
      let cost = Swift.max(1, inner * output.columns / operationsPerNanosecond)
      Parallel.forEachPart(of: output.rows, operationsPerItem: cost, grain: 16) { rows in
        product(alpha, a.rows(rows), b, beta, output.rows(rows))
      }
    } else {
      let cost = Swift.max(1, inner * output.rows / operationsPerNanosecond)
      Parallel.forEachPart(of: output.columns, operationsPerItem: cost, grain: 16) { columns in
        product(alpha, a, b.columns(columns), beta, output.columns(columns))
      }
    }
  }

  /// The product on the calling thread.
  ///
  /// The output is row-major; a sum over nothing is zero.
  static func product<Element: BLASElement>(
    _ alpha: Element, _ a: MatrixView<Element>, _ b: MatrixView<Element>, _ beta: Element,
    _ output: MatrixView<Element>
  ) {
    if output.isTransposed {
      return Element.multiply(alpha, b.transposed, a.transposed, beta, into: output.transposed)
    }
    guard a.columns > 0 else {
      for row in 0..<output.rows {
        let start = output.base + row * output.leadingDimension
        for column in 0..<output.columns {
          start[column] = beta == 0 ? 0 : beta * start[column]
        }
      }
      return
    }
    Element.multiply(alpha, a, b, beta, into: output)
  }
}
