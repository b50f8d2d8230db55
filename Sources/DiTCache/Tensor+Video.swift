import Tensors

extension Tensor {
  /// Images (B, C, H, W) as videos of one frame, (B, C, 1, H, W); anything else as it is.
  var asVideo: Tensor {
    var dimensions = shape.dimensions
    guard dimensions.count == 4 else { return self }
    dimensions.insert(1, at: 2)
    guard let shape = try? Shape(dimensions) else { return self }
    return contiguous().view(shape: shape, strides: shape.rowMajorStrides)
  }
}
