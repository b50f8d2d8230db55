import CVectorKernels
public import Tensors

extension LinearProduct {
  /// The right-hand side of a product.
  public enum Weight {
    /// [K, N], any view, `float32`, `float16` or `bfloat16`.
    case stored(Tensor)
    /// Rounded to bfloat16 before, as the product does with that precision.
    case rounded(RoundedWeight)
  }

  /// One of several products with the same left-hand side.
  public struct Term {
    /// What follows the product.
    let product: LinearProduct
    let weight: Weight
    /// [..., N], rows dense and evenly spaced.
    public let output: Tensor

    /// A product with a weight, and where its result goes.
    public init(_ product: LinearProduct, _ weight: Weight, into output: Tensor) {
      self.product = product
      self.weight = weight
      self.output = output
    }
  }

  /// Computes products of one `x`, each with the bits that it has alone.
  ///
  /// Where `x` must be widened or rounded that is done once for all, and their work is shared among
  /// threads as a whole. For the rest see `run(_:_:into:)`.
  public static func run(_ x: Tensor, _ terms: [Term]) throws(KernelError) {
    var packed: [PackedTerm] = []
    for term in terms where term.output.elementCount > 0 {
      if let term = try PackedTerm(term, x) {
        packed.append(term)
      } else if case .stored(let weight) = term.weight {
        let parts = try Epilogue(term.product, term.output.shape)
        try term.product.runInParts(x, weight, parts, term.output)
      }
    }
    for isRounded in [false, true] {
      try run(x, packed.filter { $0.isRounded == isRounded }, isRounded: isRounded)
    }
    withExtendedLifetime(terms) {}
  }

  /// Rows of halves that are widened at a time.
  private static let widenedRows = 2048

  private static func run(
    _ x: Tensor, _ terms: [PackedTerm], isRounded: Bool
  ) throws(KernelError) {
    guard !terms.isEmpty else { return }
    let dense = try Copying.contiguousRows(x)
    let depth = x.shape[x.rank - 1]
    let source = LeftRows.Source(tensor: dense.tensor, stride: dense.stride, columns: depth)
    let rows = x.elementCount / depth
    let step = x.dataType.isHalf ? widenedRows : rows
    for first in stride(from: 0, to: rows, by: step) {
      let left = try LeftRows(source, first..<Swift.min(first + step, rows), isRounded: isRounded)
      PackedProduct.run(terms.map { $0.product(of: left, firstRow: first) })
    }
    withExtendedLifetime(terms) {}
  }
}

/// A term that our own kernels compute; the caller keeps its tensors.
private struct PackedTerm {
  let isRounded: Bool
  private let right: ditc_matrix
  private let columns: Int
  private let parts: LinearProduct.Epilogue
  private let output: PackedProduct.Output

  /// Nil for what BLAS computes: a product of few rows or columns, a weight that lies otherwise, and
  /// any of float32 where OpenBLAS is faster.
  init?(_ term: LinearProduct.Term, _ x: Tensor) throws(KernelError) {
    let output = term.output
    switch term.weight {
    case .rounded(let weight):
      (right, columns, isRounded) = (weight.matrix, weight.columns, true)
    case .stored(let weight):
      columns = weight.shape[1]
      let least = Swift.min(output.elementCount / columns, columns)
      guard weight.shape[0] > 0, let right = ditc_matrix(weight),
        least >= PackedProduct.minimumRows || weight.dataType.isHalf
      else { return nil }
      self.right = right
      isRounded =
        LinearProduct.Precision.bfloat16.isSupported
        && (term.product.precision == .bfloat16
          || x.dataType == .bfloat16 && weight.dataType == .bfloat16)
      let isWide = [x, weight, output].allSatisfy { $0.dataType == .float32 }
      if isWide, !isRounded, !ProductRates.usesOwn { return nil }
    }
    parts = try LinearProduct.Epilogue(term.product, output.shape)
    guard let stride = LinearProduct.rowStride(of: output) else {
      preconditionFailure("rows of a result are dense and evenly spaced")
    }
    self.output = PackedProduct.Output(
      base: output.base, type: try output.kernelCode(for: "a matrix product"), stride: stride)
  }

  /// The product of rows of x, of which the first is `firstRow`.
  func product(of left: LeftRows, firstRow: Int) -> PackedProduct {
    var steps = parts.steps
    steps.firstRow = firstRow
    return PackedProduct(
      left, right, columns: columns,
      into: .init(
        base: output.address(firstRow, 0), type: output.type, stride: output.stride), steps)
  }
}
