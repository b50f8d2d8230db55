import CVectorKernels
public import Tensors

/// What adaptive norms do to normalised rows: factor · row + shift, product and sum rounded.
public struct Modulation {
  private let factor: Tensor?
  private let shift: Tensor?

  /// Factors and shifts, `float32`, `float16` or `bfloat16`, that broadcast to what is modulated; nil is 1 and 0.
  public init(factor: Tensor? = nil, shift: Tensor? = nil) {
    self.factor = factor
    self.shift = shift
  }

  /// The factors and shifts by row of a tensor of a shape.
  func rows(of shape: Shape) throws(KernelError) -> Rows {
    Rows(
      factor: try factor.map { (value) throws(KernelError) in try RowFactor(value, of: shape) },
      shift: try shift.map { (value) throws(KernelError) in try RowFactor(value, of: shape) })
  }

  /// Factors and shifts made ready for rows.
  struct Rows {
    fileprivate let factor: RowFactor?
    fileprivate let shift: RowFactor?

    /// Modulates one row of `count` elements in place.
    func apply(to elements: UnsafeMutablePointer<Float>, _ row: Int, _ count: Int) {
      if let factor {
        ditc_f32_multiply(elements, 1, factor.elements(of: row, count), 1, elements, count)
      }
      if let shift {
        ditc_f32_add(elements, 1, shift.elements(of: row, count), 1, elements, count)
      }
    }
  }
}

extension RowFactor {
  /// The elements for one row of a result.
  func elements(of row: Int, _ count: Int) -> UnsafePointer<Float> {
    UnsafePointer(tensor.pointer(as: Float.self) + row / rowsOfOne * count)
  }
}
