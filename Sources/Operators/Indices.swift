import GraphIR
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

  /// The axis counted from the front, if there is a line of `data` along it for every line of
  /// `indices`.
  @discardableResult
  static func requireLines(
    of data: [Dimension], _ indices: [Dimension], axis: Int
  ) throws(OperatorError) -> Int {
    guard data.count == indices.count else {
      throw .badOperands("data \(data) and indices \(indices) differ in rank")
    }
    let axis = try Axes.normalize(axis, rank: data.count)
    for other in data.indices where other != axis {
      if let size = data[other].value, let count = indices[other].value, count > size {
        throw .badOperands("indices \(indices) leave data \(data) at axis \(other)")
      }
    }
    return axis
  }

  /// The row-major element numbers that index tuples, the last axis of a tensor, point to.
  ///
  /// The first `batchAxisCount` axes of the indices and of `shape` are the same ones.
  static func offsets(
    of indices: Tensor, tupleCount: Int, in shape: Shape, batchAxisCount: Int
  ) throws(OperatorError) -> [Int] {
    guard indices.dataType.isInteger, let numbers = indices.integers() else {
      throw .badOperands("indices are \(indices.dataType), integers were expected")
    }
    let strides = shape.rowMajorStrides
    let batchCount = shape.dimensions[..<batchAxisCount].reduce(1, *)
    let batchStride = shape.dimensions[batchAxisCount...].reduce(1, *)
    let tuples = numbers.count / tupleCount
    let tuplesPerBatch = batchCount == 0 ? 1 : tuples / batchCount
    var offsets = [Int](repeating: 0, count: tuples)
    for tuple in 0..<tuples {
      var offset = tuple / tuplesPerBatch * batchStride
      for place in 0..<tupleCount {
        let axis = batchAxisCount + place
        let (index, size) = (numbers[tuple * tupleCount + place], shape[axis])
        guard index >= -size, index < size else {
          throw .badOperands("index \(index) is outside axis \(axis) of size \(size)")
        }
        offset += (index < 0 ? index + size : index) * strides[axis]
      }
      offsets[tuple] = offset
    }
    return offsets
  }
}
