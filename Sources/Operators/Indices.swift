import Tensors

/// Indices as models write them: -1 is the last one.
enum Indices {
  /// Indices counted from the front; one outside -size ..< size is an error.
  static func normalize(_ indices: [Int], size: Int) throws(OperatorError) -> [Int] {
    var result = indices
    for position in result.indices {
      let index = result[position]
      guard index >= -size, index < size else {
        throw .badOperands("index \(index) is outside an axis of size \(size)")
      }
      if index < 0 { result[position] = index + size }
    }
    return result
  }

  /// The indices a tensor holds in row-major order, counted from the front.
  static func read(_ tensor: Tensor, size: Int) throws(OperatorError) -> [Int] {
    guard tensor.dataType.isInteger, let indices = tensor.integers() else {
      throw .badOperands("indices are \(tensor.dataType), integers were expected")
    }
    return try normalize(indices, size: size)
  }
}
