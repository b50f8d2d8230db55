extension Tensor {
  /// The same elements in row-major order: this tensor when it is so already, else a copy.
  public func contiguous() -> Tensor {
    if isContiguous { return view(shape: shape, strides: shape.rowMajorStrides) }
    let storage = TensorStorage(byteCount: byteCount)
    let copy = Tensor(
      dataType: dataType, shape: shape, strides: shape.rowMajorStrides, offset: 0,
      storage: storage)
    copyElements(to: storage.base)
    return copy
  }

  /// Writes the elements in row-major order to memory that has room for `byteCount` bytes.
  public func copyElements(to destination: UnsafeMutableRawPointer) {
    guard elementCount > 0 else { return }
    if isContiguous {
      destination.copyMemory(from: base, byteCount: byteCount)
      return
    }
    switch dataType.byteCount {
    case 1: gather(UInt8.self, to: destination)
    case 2: gather(UInt16.self, to: destination)
    case 4: gather(UInt32.self, to: destination)
    case 8: gather(UInt64.self, to: destination)
    default: gather(SIMD2<UInt64>.self, to: destination)
    }
  }

  private func gather<Word: BitwiseCopyable>(
    _ word: Word.Type, to destination: UnsafeMutableRawPointer
  ) {
    let source = pointer(as: word)
    let output = destination.assumingMemoryBound(to: word)
    let (dimensions, strides) = coalescedAxes()
    let inner = dimensions[dimensions.count - 1]
    let innerStride = strides[strides.count - 1]
    var index = [Int](repeating: 0, count: dimensions.count - 1)
    var row = 0
    var position = 0
    while true {
      if innerStride == 1 {
        (output + position).update(from: source + row, count: inner)
      } else {
        for i in 0..<inner { output[position + i] = source[row + i * innerStride] }
      }
      position += inner
      var axis = index.count - 1
      while axis >= 0 {
        index[axis] += 1
        row += strides[axis]
        if index[axis] < dimensions[axis] { break }
        row -= strides[axis] * dimensions[axis]
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }

  /// Dimensions and strides with neighbouring axes merged where one step of the outer equals a
  /// whole inner axis; never empty.
  package func coalescedAxes() -> (dimensions: [Int], strides: [Int]) {
    var dimensions: [Int] = []
    var strides: [Int] = []
    for axis in 0..<rank where shape[axis] != 1 {
      if let last = strides.last, last == self.strides[axis] * shape[axis] {
        dimensions[dimensions.count - 1] *= shape[axis]
        strides[strides.count - 1] = self.strides[axis]
      } else {
        dimensions.append(shape[axis])
        strides.append(self.strides[axis])
      }
    }
    return dimensions.isEmpty ? ([1], [1]) : (dimensions, strides)
  }
}
