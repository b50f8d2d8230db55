import CVectorKernels
public import Tensors

/// A weight rounded to bfloat16 and laid out for products once, rather than in each of them.
public struct RoundedWeight: Sendable {
  /// The panels, `bfloat16`; both axes are padded.
  public let panels: Tensor
  /// Rows of the weight.
  public let depth: Int
  /// Columns of the weight.
  public let columns: Int

  /// The panels of a weight that was packed before.
  public init(panels: Tensor, depth: Int, columns: Int) {
    self.panels = panels
    self.depth = depth
    self.columns = columns
  }

  /// Packs a weight [K, N], any view; nil where the processor does not multiply bfloat16, or the
  /// weight lies in another way than row-major or transposed.
  ///
  /// Throws `KernelError` for a size beyond memory.
  public init?(packing weight: Tensor) throws(KernelError) {
    guard LinearProduct.Precision.bfloat16.isSupported, let stored = ditc_matrix(weight),
      weight.elementCount > 0
    else { return nil }
    let width = Int(DITC_BF16_PANEL)
    let (depth, columns) = (weight.shape[0], weight.shape[1])
    let padded = (columns + width - 1) / width * width
    let shape: Shape
    do { shape = try Shape([(depth + 1) / 2 * 2, padded]) } catch { throw .tooLarge(error) }
    let panels = try Copying.makeTensor(.bfloat16, shape)
    nonisolated(unsafe) let target = panels.pointer(as: UInt16.self)
    nonisolated(unsafe) let source = stored
    Parallel.forEachPart(of: padded / width, operationsPerItem: depth * width / 4) { part in
      let first = part.lowerBound * width
      let count = Swift.min(columns, part.upperBound * width) - first
      withUnsafePointer(to: source) {
        ditc_bf16_pack_whole($0, depth, first, count, padded, target)
      }
    }
    withExtendedLifetime(weight) {}
    self.init(panels: panels, depth: depth, columns: columns)
  }

  /// The panels as kernels take them.
  var matrix: ditc_matrix {
    ditc_matrix(
      base: UnsafeRawPointer(panels.base), type: Int32(DITC_PANELS), stride: panels.shape[1],
      isTransposed: 0)
  }
}
