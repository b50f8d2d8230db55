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

  /// Rotates the last axis: out = x · cosines + rotated x · sines, each product and the sum rounded.
  ///
  /// - Parameters:
  ///   - x: `float32` [..., D], any view; D is even.
  ///   - cosines: Broadcasts to [..., D], or [..., D/2] for `pairs`.
  ///   - sines: Of the shape of `cosines`.
  ///   - form: How elements and tables belong together.
  ///   - output: Contiguous, of the shape of `x`.
  /// - Throws: `KernelError` for a size beyond memory.
  public static func rotate(
    _ x: Tensor, cosines: Tensor, sines: Tensor, form: Form, into output: Tensor
  ) throws(KernelError) {
    guard output.elementCount > 0 else { return }
    let size = x.shape[x.rank - 1]
    let source = try denseRows(x, size)
    let width = form == .pairs ? size / 2 : size
    let cosines = try denseRows(cosines, width)
    let sines = try denseRows(sines, width)
    let leading = Array(x.shape.dimensions.dropLast())
    let loop = StridedLoop(dimensions: leading) { axis in
      SIMD4(
        source.strides[axis], stride(of: cosines, axis, x.rank), stride(of: sines, axis, x.rank), 0)
    }
    let (from, to) = (source.pointer(as: Float.self), output.pointer(as: Float.self))
    let (c, s) = (cosines.pointer(as: Float.self), sines.pointer(as: Float.self))
    let steps = loop.rowStrides
    Parallel.forEachPart(of: loop.count, operationsPerItem: size / 8 + 4) { range in
      loop.forEachRow(in: range) { position, places, count in
        for i in 0..<count {
          let row = from + places[0] + i * steps[0]
          let cosine = c + places[1] + i * steps[1]
          let sine = s + places[2] + i * steps[2]
          let target = to + (position + i) * size
          switch form {
          case .pairs: ditc_f32_rotate_pairs(row, cosine, sine, target, size / 2)
          case .pairsTwice: ditc_f32_rotate_pairs_twice(row, cosine, sine, target, size / 2)
          case .halves: ditc_f32_rotate_halves(row, cosine, sine, target, size / 2)
          }
        }
      }
    }
    withExtendedLifetime((source, cosines, sines)) {}
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
