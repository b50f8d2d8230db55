import CVectorKernels
import Tensors

/// Rows of a tensor that become rows of another in `float32`; half types are widened and rounded a
/// row at a time.
struct WideRows {
  private let input: DenseRows
  private let output: Tensor
  private let types: (from: Int32, to: Int32)
  private let widths: (from: Int, to: Int)

  /// The axes from `axis` on form a row; the output is contiguous and of the input's shape.
  ///
  /// Throws for a type other than `float32`, `float16` and `bfloat16`; `name` is what is computed.
  init(_ name: String, _ input: Tensor, from axis: Int, into output: Tensor) throws(KernelError) {
    types = (try input.kernelCode(for: name), try output.kernelCode(for: name))
    widths = (input.dataType.byteCount, output.dataType.byteCount)
    self.input = try DenseRows(input, from: axis)
    self.output = output
  }

  /// Calls `body` with the number of each row, its elements, room for as many results, which is not
  /// where the elements are, and their number; rows are shared among threads.
  func forEach(
    operationsPerElement: Int,
    _ body: (
      _ row: Int, _ elements: UnsafePointer<Float>, _ results: UnsafeMutablePointer<Float>,
      _ length: Int
    ) -> Void
  ) {
    let length = input.length
    let (isWideInput, isWideOutput) = (types.from == Int32(DITC_F32), types.to == Int32(DITC_F32))
    input.forEachAddress(operationsPerElement: operationsPerElement) { row, address in
      let target = output.base + row * length * widths.to
      if isWideInput, isWideOutput {
        return body(row, address.bound(Float.self), target.bound(Float.self), length)
      }
      withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * length) { memory in
        guard let wide = memory.baseAddress else { return }
        if !isWideInput { ditc_widen(address, types.from, wide, length) }
        let elements = isWideInput ? address.bound(Float.self) : UnsafePointer(wide)
        let results = isWideOutput ? target.bound(Float.self) : wide + length
        body(row, elements, results, length)
        if !isWideOutput { ditc_narrow(results, target, types.to, length) }
      }
    }
    withExtendedLifetime(output) {}
  }
}
