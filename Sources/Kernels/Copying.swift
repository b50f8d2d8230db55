import CVectorKernels
public import Tensors

/// Moving elements without changing them.
public enum Copying {
  /// Copies every element; the input broadcasts to the shape of the output.
  ///
  /// Both may be any view, so this also writes slices (Concat) and expands (Expand). The types are
  /// equal; the two do not overlap.
  public static func copy(_ input: Tensor, into output: Tensor) {
    precondition(input.dataType == output.dataType, "\(input.dataType) into \(output.dataType)")
    guard output.elementCount > 0 else { return }
    let loop = StridedLoop(over: output.shape, output, input)
    switch output.dataType.byteCount {
    case 1: copyWords(UInt8.self, input, output, loop)
    case 2: copyWords(UInt16.self, input, output, loop)
    case 4: copyWords(UInt32.self, input, output, loop)
    case 8: copyWords(UInt64.self, input, output, loop)
    default: copyWords(SIMD2<UInt64>.self, input, output, loop)
    }
  }

  /// The same elements in row-major order: the tensor itself when it is so already, else a copy.
  public static func contiguous(_ input: Tensor) throws(KernelError) -> Tensor {
    if input.isContiguous { return input.contiguous() }
    let output = try makeTensor(input.dataType, input.shape)
    copy(input, into: output)
    return output
  }

  /// Sets every element of any view to the single element of `value`.
  public static func fill(_ output: Tensor, with value: Tensor) {
    precondition(value.elementCount == 1, "a fill value has one element, not \(value.shape)")
    copy(value, into: output)
  }

  /// Sets every byte of a contiguous tensor to zero, which is zero in every type.
  public static func clear(_ output: Tensor) {
    precondition(output.isContiguous, "only contiguous tensors are cleared")
    output.base.initializeMemory(as: UInt8.self, repeating: 0, count: output.byteCount)
  }

  /// Memory for a result.
  static func makeTensor(_ type: DataType, _ shape: Shape) throws(KernelError) -> Tensor {
    do { return try Tensor(uninitialized: type, shape) } catch { throw .tooLarge(error) }
  }

  private static func copyWords<Word: BitwiseCopyable>(
    _ word: Word.Type, _ input: Tensor, _ output: Tensor, _ loop: StridedLoop
  ) {
    if MemoryLayout<Word>.size == 4, let plan = Transposition(loop) {
      return plan.run(input.pointer(as: UInt32.self), output.pointer(as: UInt32.self))
    }
    nonisolated(unsafe) let source = input.pointer(as: word)
    nonisolated(unsafe) let target = output.pointer(as: word)
    let outStep = loop.rowStrides[0]
    let inStep = loop.rowStrides[1]
    Parallel.forEachPart(of: loop.count, operationsPerItem: inStep == 1 ? 1 : 2, grain: 64) {
      range in
      loop.forEachRow(in: range) { _, places, count in
        let from = source + places[1]
        let to = target + places[0]
        switch (outStep, inStep) {
        case (1, 1): to.update(from: from, count: count)
        case (1, 0): to.update(repeating: from.pointee, count: count)
        default: for i in 0..<count { to[i * outStep] = from[i * inStep] }
        }
      }
    }
  }
}

extension Copying {
  /// A tensor whose rows, along the last axis, are dense and evenly spaced, and their distance.
  static func contiguousRows(_ input: Tensor) throws(KernelError) -> (tensor: Tensor, stride: Int) {
    let length = input.shape[input.rank - 1]
    let loop = StridedLoop(dimensions: Array(input.shape.dimensions.dropLast())) {
      SIMD4(input.strides[$0], 0, 0, 0)
    }
    let isDense = input.strides[input.rank - 1] == 1 || length == 1
    if isDense, loop.dimensions.count == 1, loop.rowStrides[0] >= length || loop.rowCount == 1 {
      return (input, Swift.max(length, loop.rowStrides[0]))
    }
    return (try contiguous(input), length)
  }
}
