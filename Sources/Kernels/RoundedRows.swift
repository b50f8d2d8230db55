import CVectorKernels
import Tensors

/// The rows of a left matrix rounded to bfloat16, for products by AVX-512 BF16.
struct RoundedRows {
  private let elements: Tensor
  private let stride: Int

  /// The rows of a matrix; nil where the processor does not multiply bfloat16.
  init?(_ matrix: MatrixView<Float>) throws(KernelError) {
    guard ditc_has_bf16() != 0, !matrix.isTransposed else { return nil }
    let stride = matrix.columns + matrix.columns % 2
    let shape: Shape
    do { shape = try Shape([matrix.rows, stride]) } catch { throw .tooLarge(error) }
    elements = try Copying.makeTensor(.bfloat16, shape)
    self.stride = stride
    let target = elements.pointer(as: UInt16.self)
    nonisolated(unsafe) let matrix = matrix
    Parallel.forEachPart(of: matrix.rows, operationsPerItem: matrix.columns / 8 + 1) { rows in
      for row in rows {
        let start = target + row * stride
        ditc_f32_to_bf16(
          matrix.base + row * matrix.leadingDimension, start, matrix.columns)
        if stride > matrix.columns { start[matrix.columns] = 0 }
      }
    }
  }

  /// Computes some columns of a part of the product that begins with row `firstRow`.
  func run(_ part: ditc_gemm, firstRow: Int, _ firstColumn: Int, _ columns: Int) {
    let rows = UnsafePointer(elements.pointer(as: UInt16.self) + firstRow * stride)
    let capacity = ditc_bf16_gemm_scratch(part.depth, columns)
    withUnsafeTemporaryAllocation(
      byteCount: 2 * capacity, alignment: 64
    ) { scratch in
      guard let scratch = scratch.baseAddress?.assumingMemoryBound(to: UInt16.self) else { return }
      withUnsafePointer(to: part) {
        ditc_bf16_gemm($0, rows, stride, firstColumn, columns, scratch)
      }
    }
  }
}
