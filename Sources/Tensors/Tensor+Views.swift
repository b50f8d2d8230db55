/// Views: the same storage seen in another shape or order, without copying an element.
extension Tensor {
  /// The elements in row-major order under another shape of the same element count.
  ///
  /// Nil when no strides describe that, so that a copy is needed. Adding and removing axes of size
  /// 1 always succeeds.
  public func reshaped(to shape: Shape) -> Tensor? {
    precondition(
      shape.elementCount == elementCount, "\(self.shape) has not the elements of \(shape)")
    if elementCount == 0 { return view(shape: shape, strides: shape.rowMajorStrides) }
    let (dimensions, steps) = coalescedAxes()
    var axis = dimensions.count - 1
    var left = dimensions[axis]
    var step = steps[axis]
    var strides = [Int](repeating: 0, count: shape.rank)
    for position in stride(from: shape.rank - 1, through: 0, by: -1) {
      let size = shape[position]
      if size > 1, left == 1 {
        axis -= 1
        left = dimensions[axis]
        step = steps[axis]
      }
      guard left % size == 0 else { return nil }
      strides[position] = step
      step *= size
      left /= size
    }
    return view(shape: shape, strides: strides)
  }

  /// The axes in another order: axis `i` of the result is axis `permutation[i]` of this tensor.
  public func transposed(_ permutation: [Int]) -> Tensor {
    precondition(
      permutation.sorted() == Array(0..<rank), "\(permutation) does not permute \(rank) axes")
    guard let shape = try? Shape(permutation.map { self.shape[$0] }) else {
      preconditionFailure("a permutation keeps the element count")
    }
    return view(shape: shape, strides: permutation.map { strides[$0] })
  }

  /// Every `step`-th index of one axis: `first`, `first + step`, … `count` of them.
  ///
  /// All of them must lie inside the axis; `step` may be negative.
  public func sliced(axis: Int, first: Int, count: Int, step: Int = 1) -> Tensor {
    var dimensions = shape.dimensions
    var strides = self.strides
    let size = dimensions[axis]
    dimensions[axis] = count
    guard count >= 0, let shape = try? Shape(dimensions) else {
      preconditionFailure("\(count) indices of an axis of size \(size)")
    }
    guard count > 0 else { return view(shape: shape, strides: strides) }
    precondition(
      (0..<size).contains(first)
        && (count == 1 || (0..<size).contains(first + (count - 1) * step)),
      "\(count) indices from \(first) by \(step) leave an axis of size \(size)")
    let offset = offset + first * strides[axis]
    if count > 1 { strides[axis] *= step }
    return view(shape: shape, strides: strides, offset: offset)
  }

  /// The tensor repeated to a larger shape by ONNX's unidirectional rule
  /// (https://onnx.ai/onnx/repo-docs/Broadcasting.html), or nil when it does not broadcast to it.
  public func broadcast(to shape: Shape) -> Tensor? {
    let added = shape.rank - rank
    guard added >= 0 else { return nil }
    var strides = [Int](repeating: 0, count: shape.rank)
    for axis in 0..<rank {
      if self.shape[axis] == shape[added + axis] {
        strides[added + axis] = self.strides[axis]
      } else if self.shape[axis] != 1 {
        return nil
      }
    }
    return view(shape: shape, strides: strides)
  }
}
