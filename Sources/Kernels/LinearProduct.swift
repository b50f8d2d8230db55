import CVectorKernels
public import Tensors

/// A matrix product and what follows it: bias, activation, factor and addend, in this order.
///
/// In `float32` every part rounds on its own, so the result has the bits of the parts computed one by
/// one. Half types are computed in `float32` and rounded at the end and where the caller says.
public struct LinearProduct {
  /// A function of the elements.
  public enum Activation: String, Hashable, Sendable, CaseIterable {
    case none
    case gelu
    case geluTanh = "gelu_tanh"
    case silu
  }

  /// How the factors of a product are rounded.
  public enum Precision: String, Hashable, Sendable, CaseIterable {
    case float32
    /// To bfloat16, the sums staying `float32`, where the processor has AVX-512 BF16.
    case bfloat16

    /// Whether this processor computes so; otherwise nothing is rounded.
    public var isSupported: Bool { self == .float32 || ditc_has_bf16() != 0 }
  }

  let precision: Precision
  let bias: Tensor?
  let activation: Activation
  let factor: Tensor?
  let addend: Tensor?
  let sumType: DataType
  let productType: DataType

  /// What follows a product; tensors are `float32`, `float16` or `bfloat16`.
  ///
  /// - Parameters:
  ///   - bias: [N].
  ///   - activation: Applied to the sum.
  ///   - factor: [..., N] of as many axes as the result; leading axes are those of the result or 1.
  ///   - addend: Of the result's shape.
  ///   - sumType: A half type that is rounded to before the factor and the addend; `float32` for none.
  ///   - productType: A half type that is rounded to behind the factor; `float32` for none.
  ///   - precision: How the factors of the product are rounded.
  public init(
    bias: Tensor? = nil, activation: Activation = .none, factor: Tensor? = nil,
    addend: Tensor? = nil, sumType: DataType = .float32, productType: DataType = .float32,
    precision: Precision = .float32
  ) {
    self.sumType = sumType
    self.productType = productType
    self.precision = precision
    self.bias = bias
    self.activation = activation
    self.factor = factor
    self.addend = addend
  }

  /// True for tensors that a result may be written to: dense rows, evenly spaced.
  public static func canWrite(into layout: Tensor) -> Bool { rowStride(of: layout) != nil }

  /// Elements from one row of a result to the next; nil unless rows are dense and evenly spaced.
  static func rowStride(of output: Tensor) -> Int? {
    let columns = output.shape[output.rank - 1]
    if output.isContiguous { return columns }
    let (dimensions, strides) = output.coalescedAxes()
    return dimensions.count == 2 && dimensions[1] == columns && strides[1] == 1 ? strides[0] : nil
  }

  /// Computes `x` times `weight` and what follows, in `float32`; a result of another type is rounded
  /// once, at the end.
  ///
  /// Products of `bfloat16` with `bfloat16` use AVX-512 BF16 where the processor has it: they are
  /// exact there, but for numbers below the normal ones, which count as zero.
  ///
  /// - Parameters:
  ///   - x: [..., K], any view, `float32`, `float16` or `bfloat16`.
  ///   - weight: [K, N], any view, of any of these types.
  ///   - output: [..., N], of any of these types, rows dense and evenly spaced.
  /// - Throws: `KernelError` for a type without an implementation, or a size beyond BLAS or memory.
  public func run(_ x: Tensor, _ weight: Tensor, into output: Tensor) throws(KernelError) {
    try Self.run(x, [Term(self, .stored(weight), into: output)])
  }

  /// The product by BLAS, then what follows.
  func runInParts(
    _ x: Tensor, _ weight: Tensor, _ parts: Epilogue, _ output: Tensor
  ) throws(KernelError) {
    guard output.isContiguous else {
      let whole = try Copying.makeTensor(output.dataType, output.shape)
      try runInParts(x, weight, parts, whole)
      return Copying.copy(whole, into: output)
    }
    guard output.dataType == .float32 else {
      return try HalfPrecision.compute(output) { (wide) throws(KernelError) in
        try runInParts(x, weight, parts, wide)
      }
    }
    try MatrixMultiplication.multiply(
      HalfPrecision.widened(x), HalfPrecision.widened(weight), into: output)
    let columns = weight.shape[1]
    let target = output.pointer(as: Float.self)
    nonisolated(unsafe) let steps = parts.steps
    Parallel.forEachPart(of: output.elementCount / columns, operationsPerItem: columns) { range in
      withUnsafePointer(to: steps) { steps in
        for row in range { ditc_f32_finish(target + row * columns, row, 0, columns, steps) }
      }
    }
    withExtendedLifetime((output, parts)) {}
  }
}
