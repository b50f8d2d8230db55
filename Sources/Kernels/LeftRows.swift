import CVectorKernels
import Tensors

/// Some rows of the left matrix of a product, in a type that kernels multiply.
struct LeftRows {
  /// Dense rows, evenly spaced.
  struct Source {
    let tensor: Tensor
    let stride: Int
    let columns: Int
  }

  /// Keeps the memory of the rows alive; nil where the caller does.
  private let tensor: Tensor?
  private let base: UnsafeRawPointer
  private let stride: Int
  let rows: Int
  let columns: Int
  /// True for bfloat16 rows of an even number of elements, false for `float32`.
  let isRounded: Bool

  /// The rows of a `float32` matrix that is not transposed, as they are; the caller keeps them.
  init(_ matrix: MatrixView<Float>) {
    tensor = nil
    base = UnsafeRawPointer(matrix.base)
    stride = matrix.leadingDimension
    (rows, columns) = (matrix.rows, matrix.columns)
    isRounded = false
  }

  /// A range of rows of any floating-point type, widened to `float32` or rounded to bfloat16 where
  /// they are not so already.
  init(_ source: Source, _ range: Range<Int>, isRounded: Bool) throws(KernelError) {
    let type = source.tensor.dataType
    let code = try source.tensor.kernelCode(for: "a matrix product")
    (rows, columns) = (range.count, source.columns)
    self.isRounded = isRounded
    let start = UnsafeRawPointer(
      source.tensor.base + range.lowerBound * source.stride * type.byteCount)
    let isReady = isRounded ? type == .bfloat16 && columns % 2 == 0 : type == .float32
    if isReady {
      (tensor, base, stride) = (source.tensor, start, source.stride)
      return
    }
    stride = isRounded ? columns + columns % 2 : columns
    let shape: Shape
    do { shape = try Shape([rows, stride]) } catch { throw .tooLarge(error) }
    let copy = try Copying.makeTensor(isRounded ? .bfloat16 : .float32, shape)
    tensor = copy
    base = UnsafeRawPointer(copy.base)
    let step = source.stride * type.byteCount
    nonisolated(unsafe) let target = copy.base
    nonisolated(unsafe) let from = start
    let (width, columns) = (stride, columns)
    Parallel.forEachPart(of: rows, operationsPerItem: columns / 8 + 1) { part in
      for row in part {
        if isRounded {
          let rounded = target.bound(UInt16.self) + row * width
          Self.round(from + row * step, code, rounded, columns)
          if width > columns { rounded[columns] = 0 }
        } else {
          ditc_widen(from + row * step, code, target.bound(Float.self) + row * width, columns)
        }
      }
    }
    withExtendedLifetime((source.tensor, copy)) {}
  }

  private static func round(
    _ row: UnsafeRawPointer, _ code: Int32, _ target: UnsafeMutablePointer<UInt16>, _ count: Int
  ) {
    switch code {
    case Int32(DITC_F32): ditc_bf16_round(row.bound(Float.self), target, count)
    case Int32(DITC_BF16): target.update(from: row.bound(UInt16.self), count: count)
    default:
      withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { wide in
        guard let wide = wide.baseAddress else { return }
        ditc_widen(row, code, wide, count)
        ditc_bf16_round(wide, target, count)
      }
    }
  }

  /// Computes some columns of a part of the product that begins with row `firstRow`; `scratch` has
  /// room for `scratchByteCount`.
  func run(
    _ part: ditc_gemm, firstRow: Int, _ firstColumn: Int, _ columns: Int,
    _ scratch: UnsafeMutableRawPointer
  ) {
    var part = part
    part.depth = self.columns
    if isRounded {
      let rows = base.bound(UInt16.self) + firstRow * stride
      ditc_bf16_gemm(&part, rows, stride, firstColumn, columns, scratch.bound(UInt16.self))
    } else {
      part.a = base.bound(Float.self) + firstRow * stride
      part.aStride = stride
      ditc_f32_gemm(&part, firstColumn, columns, scratch.bound(Float.self))
    }
    withExtendedLifetime(tensor) {}
  }

  /// Bytes of scratch memory that `columns` columns of the product need.
  func scratchByteCount(_ columns: Int) -> Int {
    isRounded
      ? 2 * ditc_bf16_gemm_scratch(self.columns, columns)
      : 4 * ditc_f32_gemm_scratch(self.columns, columns)
  }
}
