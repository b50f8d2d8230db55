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

  private let precision: Precision
  private let bias: Tensor?
  private let activation: Activation
  private let factor: Tensor?
  private let addend: Tensor?
  private let sumType: DataType
  private let productType: DataType

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
  private static func rowStride(of output: Tensor) -> Int? {
    let columns = output.shape[output.rank - 1]
    if output.isContiguous { return columns }
    let (dimensions, strides) = output.coalescedAxes()
    return dimensions.count == 2 && dimensions[1] == columns && strides[1] == 1 ? strides[0] : nil
  }

  /// Rows of halves that are widened at a time.
  private static let widenedRows = 2048

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
    guard output.elementCount > 0 else { return }
    let (depth, columns) = (weight.shape[0], weight.shape[1])
    let rows = output.elementCount / columns
    let isSmall = rows < PackedProduct.minimumRows || columns < PackedProduct.minimumRows
    guard depth > 0, let right = ditc_matrix(weight), !isSmall || weight.dataType.isHalf else {
      let parts = try Epilogue(self, output.shape)
      if output.isContiguous { return try runInParts(x, weight, parts, output) }
      let whole = try Copying.makeTensor(output.dataType, output.shape)
      try runInParts(x, weight, parts, whole)
      return Copying.copy(whole, into: output)
    }
    let isRounded =
      Precision.bfloat16.isSupported
      && (precision == .bfloat16 || x.dataType == .bfloat16 && weight.dataType == .bfloat16)
    try run(x, right, depth, columns, isRounded: isRounded, into: output)
    withExtendedLifetime(weight) {}
  }

  /// Computes `x` times a weight whose factors were rounded to bfloat16 before, and what follows, as
  /// the other `run` does with that precision.
  public func run(
    _ x: Tensor, _ weight: RoundedWeight, into output: Tensor
  ) throws(KernelError) {
    guard output.elementCount > 0 else { return }
    try run(x, weight.matrix, weight.depth, weight.columns, isRounded: true, into: output)
    withExtendedLifetime(weight.panels) {}
  }

  private func run(
    _ x: Tensor, _ right: ditc_matrix, _ depth: Int, _ columns: Int, isRounded: Bool,
    into output: Tensor
  ) throws(KernelError) {
    let rows = output.elementCount / columns
    guard let rowStride = Self.rowStride(of: output) else {
      preconditionFailure("rows of a result are dense and evenly spaced")
    }
    let parts = try Epilogue(self, output.shape)
    let type = try output.kernelCode(for: "a matrix product")
    let dense = try Copying.contiguousRows(x)
    let source = LeftRows.Source(tensor: dense.tensor, stride: dense.stride, columns: depth)
    let target = PackedProduct.Output(base: output.base, type: type, stride: rowStride)
    let step = x.dataType.isHalf ? Self.widenedRows : rows
    for first in stride(from: 0, to: rows, by: step) {
      let range = first..<Swift.min(first + step, rows)
      let left = try LeftRows(source, range, isRounded: isRounded)
      var steps = parts.steps
      steps.firstRow = first
      PackedProduct(
        left, right, columns: columns,
        into: .init(base: target.address(first, 0), type: type, stride: rowStride)
      ).run(&steps)
    }
    withExtendedLifetime((output, parts)) {}
  }

  /// The product by BLAS, then what follows.
  private func runInParts(
    _ x: Tensor, _ weight: Tensor, _ parts: Epilogue, _ output: Tensor
  ) throws(KernelError) {
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

  /// What follows a product as kernels take it, with the memory it lies in.
  private struct Epilogue {
    let steps: ditc_epilogue
    private let tensors: [Tensor]
    init(_ product: LinearProduct, _ shape: Shape) throws(KernelError) {
      var steps = ditc_epilogue()
      var tensors: [Tensor] = []
      let columns = shape[shape.rank - 1]
      steps.activation = product.activation.code
      steps.sumType = product.sumType.kernelCode ?? Int32(DITC_F32)
      steps.productType = product.productType.kernelCode ?? Int32(DITC_F32)
      steps.factorRows = 1
      steps.factorStride = columns
      steps.addendStride = columns
      if let bias = product.bias {
        let row = try Copying.contiguous(HalfPrecision.widened(bias))
        steps.bias = UnsafePointer(row.pointer(as: Float.self))
        tensors.append(row)
      }
      if let factor = product.factor {
        let rows = try RowFactor(factor, of: shape)
        steps.factor = UnsafePointer(rows.tensor.pointer(as: Float.self))
        steps.factorRows = rows.rowsOfOne
        tensors.append(rows.tensor)
      }
      if let addend = product.addend {
        let rows = try Copying.contiguous(addend)
        steps.addend = UnsafeRawPointer(rows.base)
        steps.addendType = try rows.kernelCode(for: "an addend")
        tensors.append(rows)
      }
      self.steps = steps
      self.tensors = tensors
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
  ///
  /// Half types are widened.
  init(_ factor: Tensor, of shape: Shape) throws(KernelError) {
    let factor = try HalfPrecision.widened(factor)
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
