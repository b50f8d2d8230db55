import CVectorKernels
public import Tensors

/// A matrix product and what follows it: bias, activation, factor and addend, in this order.
///
/// Every part rounds on its own, so the result has the bits of the parts computed one by one.
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

  private let precision: Precision
  private let bias: Tensor?
  private let activation: Activation
  private let factor: Tensor?
  private let addend: Tensor?

  /// What follows a product; all tensors are `float32`.
  ///
  /// - Parameters:
  ///   - bias: [N].
  ///   - activation: Applied to the sum.
  ///   - factor: [..., N] of as many axes as the result; leading axes are those of the result or 1.
  ///   - addend: Of the result's shape.
  ///   - precision: How the factors of the product are rounded.
  public init(
    bias: Tensor? = nil, activation: Activation = .none, factor: Tensor? = nil,
    addend: Tensor? = nil, precision: Precision = .float32
  ) {
    self.precision = precision
    self.bias = bias
    self.activation = activation
    self.factor = factor
    self.addend = addend
  }

  /// Computes `x` times `weight` and what follows.
  ///
  /// - Parameters:
  ///   - x: [..., K], any view.
  ///   - weight: [K, N], any view.
  ///   - output: Contiguous, [..., N].
  /// - Throws: `KernelError` for a size beyond BLAS or memory.
  public func run(_ x: Tensor, _ weight: Tensor, into output: Tensor) throws(KernelError) {
    guard output.elementCount > 0 else { return }
    let columns = weight.shape[1]
    let rows = output.elementCount / columns
    let source = try Copying.contiguousRows(x)
    let bias = try bias.map { (value) throws(KernelError) in try Copying.contiguous(value) }
    let addend = try addend.map { (value) throws(KernelError) in try Copying.contiguous(value) }
    let factor = try factor.map { (value) throws(KernelError) in
      try RowFactor(value, of: output.shape)
    }
    var epilogue = ditc_epilogue()
    epilogue.bias = bias.map { UnsafePointer($0.pointer(as: Float.self)) }
    epilogue.activation = activation.code
    epilogue.factor = factor.map { UnsafePointer($0.tensor.pointer(as: Float.self)) }
    epilogue.factorStride = columns
    epilogue.factorRows = factor.map(\.rowsOfOne) ?? 1
    epilogue.addend = addend.map { UnsafePointer($0.pointer(as: Float.self)) }
    epilogue.addendStride = columns
    defer { withExtendedLifetime((source, bias, addend, factor?.tensor)) {} }
    let target = output.pointer(as: Float.self)
    if let left = MatrixView(
      source.tensor.pointer(as: Float.self), rows: rows, columns: x.shape[x.rank - 1],
      rowStride: source.stride, columnStride: 1),
      let right = MatrixView(
        weight.pointer(as: Float.self), rows: weight.shape[0], columns: columns,
        rowStride: weight.strides[0], columnStride: weight.strides[1]),
      let result = MatrixView(
        target, rows: rows, columns: columns, rowStride: columns, columnStride: 1),
      let product = PackedProduct(left, right, into: result)
    {
      let rounded = precision == .bfloat16 ? try RoundedRows(left) : nil
      return product.run(&epilogue, rounded: rounded)
    }
    try MatrixMultiplication.multiply(x, weight, into: output)
    nonisolated(unsafe) let steps = epilogue
    Parallel.forEachPart(of: rows, operationsPerItem: columns) { range in
      withUnsafePointer(to: steps) { steps in
        for row in range { ditc_f32_finish(target + row * columns, row, 0, columns, steps) }
      }
    }
  }
}

extension LinearProduct.Activation {
  fileprivate var code: Int32 {
    switch self {
    case .none: Int32(DITC_LINEAR)
    case .gelu: Int32(DITC_GELU)
    case .geluTanh: Int32(DITC_GELU_TANH)
    case .silu: Int32(DITC_SILU)
    }
  }
}

/// Rows of factors that are each repeated over equally many rows of a result.
struct RowFactor {
  /// [repetitions, N], contiguous.
  let tensor: Tensor
  /// Rows of the result that one row is for.
  let rowsOfOne: Int

  /// The factor broadcast to the shape of a result, along trailing axes of 1 only where possible.
  init(_ factor: Tensor, of shape: Shape) throws(KernelError) {
    let missing = shape.rank - factor.rank
    let own = (0..<shape.rank).map { $0 < missing ? 1 : factor.shape[$0 - missing] }
    var repeated = 1
    var axis = shape.rank - 2
    while axis >= 0, own[axis] == 1 {
      repeated *= shape[axis]
      axis -= 1
    }
    let kept = axis < 0 ? [] : Array(shape.dimensions[...axis])
    let trailing = [shape[shape.rank - 1]]
    let ones = [Int](repeating: 1, count: shape.rank - 1 - kept.count)
    let target: Shape
    do { target = try Shape(kept + ones + trailing) } catch { throw .tooLarge(error) }
    if factor.shape.elementCount == target.elementCount {
      tensor = try Copying.contiguous(factor)
    } else {
      tensor = try Copying.makeTensor(.float32, target)
      Copying.copy(factor, into: tensor)
    }
    rowsOfOne = repeated
  }
}

extension Copying {
  /// A tensor whose rows, along the last axis, are dense and evenly spaced, and their distance.
  static func contiguousRows(_ input: Tensor) throws(KernelError) -> (tensor: Tensor, stride: Int) {
    let length = input.shape[input.rank - 1]
    let loop = StridedLoop(dimensions: Array(input.shape.dimensions.dropLast())) {
      SIMD4(input.strides[$0], 0, 0, 0)
    }
    let isDense = input.strides[input.rank - 1] == 1 || length == 1
    if isDense, loop.dimensions.count == 1, loop.rowStrides[0] >= length || loop.rowCount == 1 {
      return (input, Swift.max(length, loop.rowStrides[0]))
    }
    return (try contiguous(input), length)
  }
}
