import CVectorKernels
public import Tensors

/// Rotary position embedding (Su et al., "RoFormer", arXiv:2104.09864) in the forms of exporters.
public enum Rotation {
  /// Which elements of a row are rotated together, and what the tables hold.
  public enum Form: String, Hashable, Sendable, CaseIterable {
    /// Neighbours; the tables have one element for each pair.
    case pairs
    /// Neighbours; the tables have one element for each element.
    case pairsTwice = "pairs_twice"
    /// Elements half a row apart; the tables have one element for each element.
    case halves
  }

  /// Rotates the last axis: out = x · cosines + rotated x · sines, each product and the sum rounded to
  /// `float32`; a result of a half type is rounded once more.
  ///
  /// - Parameters:
  ///   - x: [..., D], any view, `float32`, `float16` or `bfloat16`; D is even.
  ///   - cosines: Broadcasts to [..., D], or [..., D/2] for `pairs`; of any of these types.
  ///   - sines: Of the shape of `cosines`.
  ///   - form: How elements and tables belong together.
  ///   - output: Contiguous, of the shape of `x` and any of these types.
  /// - Throws: `KernelError` for another type, or a size beyond memory.
  public static func rotate(
    _ x: Tensor, cosines: Tensor, sines: Tensor, form: Form, into output: Tensor
  ) throws(KernelError) {
    guard output.elementCount > 0 else { return }
    let size = x.shape[x.rank - 1]
    let source = try denseRows(x, size)
    let width = form == .pairs ? size / 2 : size
    let cosines = try denseRows(HalfPrecision.widened(cosines), width)
    let sines = try denseRows(HalfPrecision.widened(sines), width)
    let leading = Array(x.shape.dimensions.dropLast())
    let loop = StridedLoop(dimensions: leading) { axis in
      SIMD4(
        source.strides[axis], stride(of: cosines, axis, x.rank), stride(of: sines, axis, x.rank), 0)
    }
    let types = (try source.kernelCode(for: "rotary"), try output.kernelCode(for: "rotary"))
    let widths = (source.dataType.byteCount, output.dataType.byteCount)
    let (c, s) = (cosines.pointer(as: Float.self), sines.pointer(as: Float.self))
    let steps = loop.rowStrides
    Parallel.forEachPart(of: loop.count, operationsPerItem: size / 8 + 4) { range in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * size) { memory in
        guard let wide = memory.baseAddress else { return }
        loop.forEachRow(in: range) { position, places, count in
          for i in 0..<count {
            let row = source.base + (places[0] + i * steps[0]) * widths.0
            let target = output.base + (position + i) * size * widths.1
            let isWide = (types.0 == Int32(DITC_F32), types.1 == Int32(DITC_F32))
            if !isWide.0 { ditc_widen(row, types.0, wide, size) }
            let result = isWide.1 ? target.bound(Float.self) : wide + size
            form.rotate(
              isWide.0 ? row.bound(Float.self) : wide, c + places[1] + i * steps[1],
              s + places[2] + i * steps[2], result, size / 2)
            if !isWide.1 { ditc_narrow(result, target, types.1, size) }
          }
        }
      }
    }
    withExtendedLifetime((source, cosines, sines, output)) {}
  }

  private static func denseRows(_ tensor: Tensor, _ length: Int) throws(KernelError) -> Tensor {
    precondition(tensor.shape[tensor.rank - 1] == length, "a row has \(length) elements")
    return tensor.strides[tensor.rank - 1] == 1 || length == 1
      ? tensor : try Copying.contiguous(tensor)
  }

  private static func stride(of table: Tensor, _ axis: Int, _ rank: Int) -> Int {
    let own = axis - (rank - table.rank)
    return own >= 0 && table.shape[own] != 1 ? table.strides[own] : 0
  }
}

extension Rotation.Form {
  /// Rotates one row of pairs.
  fileprivate func rotate(
    _ row: UnsafePointer<Float>, _ cosines: UnsafePointer<Float>, _ sines: UnsafePointer<Float>,
    _ result: UnsafeMutablePointer<Float>, _ pairs: Int
  ) {
    switch self {
    case .pairs: ditc_f32_rotate_pairs(row, cosines, sines, result, pairs)
    case .pairsTwice: ditc_f32_rotate_pairs_twice(row, cosines, sines, result, pairs)
    case .halves: ditc_f32_rotate_halves(row, cosines, sines, result, pairs)
    }
  }
}
