public import Tensors

/// Products of matrices.
public enum MatrixMultiplication {
  /// The product of stacks of matrices, after ONNX MatMul
  /// (https://onnx.ai/onnx/operators/onnx__MatMul.html).
  ///
  /// `a` is [..., M, K] or [K], `b` is [..., K, N] or [K]; leading dimensions broadcast. The output
  /// is contiguous, and its shape is [..., M, N] without M where `a` and without N where `b` is a
  /// vector. Inputs are any views; those that BLAS cannot address are copied. Products of integers
  /// take no factor `alpha`.
  public static func multiply(
    _ a: Tensor, _ b: Tensor, alpha: Float = 1, into output: Tensor
  ) throws(KernelError) {
    precondition(a.dataType == b.dataType && a.dataType == output.dataType, "types differ")
    precondition(a.rank > 0 && b.rank > 0, "a scalar has no matrix product")
    precondition(alpha == 1 || output.dataType.isFloatingPoint, "integers take no factor")
    precondition(output.isContiguous, "an output is contiguous")
    guard output.elementCount > 0 else { return }
    switch output.dataType {
    case .float32: try blas(Float.self, a, b, output, alpha: alpha)
    case .float64: try blas(Double.self, a, b, output, alpha: Double(alpha))
    case let type where type.isHalf && alpha == 1 && a.rank > 1 && b.rank == 2:
      try LinearProduct().run(a, b, into: output)
    case .float16, .bfloat16:
      try HalfPrecision.compute(output) { (wide) throws(KernelError) in
        try multiply(HalfPrecision.widened(a), HalfPrecision.widened(b), alpha: alpha, into: wide)
      }
    case .int64: integers(Int64.self, a, b, output)
    case .int32: integers(Int32.self, a, b, output)
    case .uint64: integers(UInt64.self, a, b, output)
    case .uint32: integers(UInt32.self, a, b, output)
    default: throw .unsupported("a matrix product", output.dataType)
    }
  }

  /// `output = alpha * A * B + beta * C`, after ONNX Gemm
  /// (https://onnx.ai/onnx/operators/onnx__Gemm.html).
  ///
  /// - Parameters:
  ///   - a: A matrix [M, K], or [K, M] with `transposeA`.
  ///   - b: A matrix [K, N], or [N, K] with `transposeB`.
  ///   - c: Broadcasts to [M, N]; nil is zero.
  ///   - alpha: The factor of the product.
  ///   - beta: The factor of `c`.
  ///   - transposeA: Whether `a` is taken transposed.
  ///   - transposeB: Whether `b` is taken transposed.
  ///   - output: Contiguous, [M, N]; integers are computed in `float64`, exactly up to 2^53.
  /// - Throws: `KernelError` for a type without an implementation, or a size beyond BLAS.
  public static func gemm(
    _ a: Tensor, _ b: Tensor, _ c: Tensor? = nil, alpha: Float = 1, beta: Float = 1,
    transposeA: Bool = false, transposeB: Bool = false, into output: Tensor
  ) throws(KernelError) {
    precondition(a.rank == 2 && b.rank == 2 && output.rank == 2, "Gemm takes matrices")
    let left = transposeA ? a.transposedMatrix : a
    let right = transposeB ? b.transposedMatrix : b
    switch output.dataType {
    case let type
    where (type == .float32 || type.isHalf) && alpha == 1
      && (c.map { isRow($0, of: output) && beta == 1 } ?? true):
      try LinearProduct(bias: c).run(left, right, into: output)
    case .float32:
      if let c { Copying.copy(c, into: output) }
      try blas(Float.self, left, right, output, alpha: alpha, beta: c == nil ? 0 : beta)
    case .float64:
      if let c { Copying.copy(c, into: output) }
      try blas(
        Double.self, left, right, output, alpha: Double(alpha), beta: c == nil ? 0 : Double(beta))
    case .float16, .bfloat16:
      try HalfPrecision.compute(output) { (wide) throws(KernelError) in
        let addend: Tensor? = if let c { try HalfPrecision.widened(c) } else { nil }
        try gemm(
          HalfPrecision.widened(left), HalfPrecision.widened(right), addend, alpha: alpha,
          beta: beta, into: wide)
      }
    case let type where type.isInteger:
      let wide = try Copying.makeTensor(.float64, output.shape)
      let addend: Tensor? = if let c { try Casting.cast(c, to: .float64) } else { nil }
      try gemm(
        Casting.cast(left, to: .float64), Casting.cast(right, to: .float64), addend, alpha: alpha,
        beta: beta, into: wide)
      try Casting.cast(wide, into: output)
    default: throw .unsupported("Gemm", output.dataType)
    }
  }
}

extension MatrixMultiplication {
  /// True when one row of elements is added to all rows of a matrix.
  private static func isRow(_ addend: Tensor, of output: Tensor) -> Bool {
    addend.rank > 0 && addend.elementCount == output.shape[1]
      && addend.shape[addend.rank - 1] == output.shape[1]
  }
}

extension Tensor {
  /// The last two axes exchanged; a view.
  var transposedMatrix: Tensor {
    var order = Array(0..<rank)
    order.swapAt(rank - 1, rank - 2)
    return permuted(order)
  }

  /// The axes in another order; a view.
  func permuted(_ order: [Int]) -> Tensor {
    guard let shape = try? Shape(order.map { self.shape[$0] }) else { return self }
    return view(shape: shape, strides: order.map { strides[$0] })
  }
}
