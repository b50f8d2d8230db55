import Tensors

/// Samples along the first axis.
extension Tensor {
  /// A view of some samples; a tensor of one sample serves every range.
  func samples(_ range: Range<Int>, of place: String) throws(DiffusionError) -> Tensor {
    guard rank > 0 else {
      throw DiffusionError("no-batch", at: place, "a scalar has no batch axis")
    }
    if shape[0] == 1, range.count == 1 { return self }
    guard range.upperBound <= shape[0] else {
      throw DiffusionError(
        "batch-mismatch", at: place,
        "the array has \(shape[0]) samples, number \(range.upperBound) was asked for")
    }
    guard let part = try? Shape([range.count] + shape.dimensions.dropFirst()) else {
      throw DiffusionError("batch-mismatch", at: place, "the batch does not fit in memory")
    }
    return view(shape: part, strides: strides, offset: offset + range.lowerBound * strides[0])
  }

  /// All samples of `parts`, one after another; types and other axes agree.
  static func stacked(_ parts: [Tensor], at place: String) throws(DiffusionError) -> Tensor {
    guard let first = parts.first else {
      throw DiffusionError("no-samples", at: place, "there is nothing to join")
    }
    if parts.count == 1 { return first }
    guard
      parts.allSatisfy({
        $0.dataType == first.dataType
          && $0.shape.dimensions.dropFirst() == first.shape.dimensions.dropFirst()
      }), first.rank > 0,
      let shape = try? Shape(
        [parts.reduce(0) { $0 + $1.shape[0] }] + first.shape.dimensions.dropFirst()),
      let result = try? Tensor(uninitialized: first.dataType, shape)
    else {
      throw DiffusionError(
        "batch-mismatch", at: place,
        "arrays \(parts.map { "\($0.dataType)\($0.shape)" }.joined(separator: ", ")) do not join")
    }
    var destination = result.base
    for part in parts {
      part.copyElements(to: destination)
      destination += part.byteCount
    }
    return result
  }

  /// All tensors one after another along an axis; types and other axes agree.
  static func joined(
    _ parts: [Tensor], axis: Int, at place: String
  ) throws(DiffusionError) -> Tensor {
    guard axis > 0 else { return try stacked(parts, at: place) }
    guard let count = parts.first?.shape.dimensions.first,
      parts.allSatisfy({ $0.shape.dimensions.first == count })
    else {
      throw DiffusionError(
        "batch-mismatch", at: place,
        "arrays \(parts.map { "\($0.shape)" }.joined(separator: ", ")) do not join")
    }
    var slices: [Tensor] = []
    for index in 0..<count {
      var inner: [Tensor] = []
      for part in parts {
        guard let shape = try? Shape(Array(part.shape.dimensions.dropFirst())) else { continue }
        inner.append(
          part.view(
            shape: shape, strides: Array(part.strides.dropFirst()),
            offset: part.offset + index * part.strides[0]))
      }
      slices.append(try joined(inner, axis: axis - 1, at: place).withLeadingAxis())
    }
    return try stacked(slices, at: place)
  }

  /// The tensor with one more axis in front.
  func withLeadingAxis() -> Tensor {
    guard let shape = try? Shape([1] + shape.dimensions) else { return self }
    return contiguous().view(shape: shape, strides: shape.rowMajorStrides)
  }
}
