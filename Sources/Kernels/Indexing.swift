public import Tensors

/// Moving elements to and from places given by indices.
///
/// Indices are counted from the front and lie inside their axis; the caller has checked that.
public enum Indexing {
  /// Picks whole slices of one axis.
  ///
  /// - Parameters:
  ///   - data: Any view.
  ///   - axis: The axis of `data` that `indices` count along.
  ///   - indices: Which slices, in the order of the result.
  ///   - output: Contiguous; the shape of `data` with `axis` replaced by axes that together have
  ///     as many places as there are indices.
  /// - Throws: When a row-major copy of the data does not fit in memory.
  public static func gather(
    _ data: Tensor, axis: Int, _ indices: [Int], into output: Tensor
  ) throws(KernelError) {
    precondition(output.isContiguous, "an output is contiguous")
    guard output.elementCount > 0 else { return }
    let source = try Copying.contiguous(data)
    let size = data.shape[axis]
    let blockBytes =
      data.shape.dimensions[(axis + 1)...].reduce(1, *) * data.dataType.byteCount
    nonisolated(unsafe) let (from, to) = (source.base, output.base)
    let blocks = output.byteCount / blockBytes
    precondition(blocks % indices.count == 0, "\(output.shape) has no place for all slices")
    Parallel.forEachPart(of: blocks, operationsPerItem: nanoseconds(blockBytes)) { range in
      for block in range {
        let (outer, position) = block.quotientAndRemainder(dividingBy: indices.count)
        (to + block * blockBytes).copyMemory(
          from: from + (outer * size + indices[position]) * blockBytes, byteCount: blockBytes)
      }
    }
    withExtendedLifetime(source) {}
  }

  /// Picks one element for each element of the result: `output[…, i, …] = data[…, indices[…], …]`
  /// along `axis`.
  ///
  /// - Parameters:
  ///   - data: Any view, along the other axes at least as large as the result.
  ///   - axis: The axis that `indices` count along.
  ///   - indices: One for each element of the result, in row-major order.
  ///   - output: Contiguous.
  public static func gatherElements(
    _ data: Tensor, axis: Int, _ indices: [Int], into output: Tensor
  ) {
    precondition(output.isContiguous, "an output is contiguous")
    precondition(indices.count == output.elementCount, "an element has no index")
    switch data.dataType.byteCount {
    case 1: gatherWords(UInt8.self, data, axis, indices, output)
    case 2: gatherWords(UInt16.self, data, axis, indices, output)
    case 4: gatherWords(UInt32.self, data, axis, indices, output)
    case 8: gatherWords(UInt64.self, data, axis, indices, output)
    default: gatherWords(SIMD2<UInt64>.self, data, axis, indices, output)
    }
  }

  /// Picks blocks of neighbouring elements, which fill the result one after another.
  ///
  /// - Parameters:
  ///   - data: Any view.
  ///   - offsets: The row-major number of each block's first element.
  ///   - count: The number of elements of a block.
  ///   - output: Contiguous.
  /// - Throws: When a row-major copy of the data does not fit in memory.
  public static func gatherBlocks(
    _ data: Tensor, at offsets: [Int], count: Int, into output: Tensor
  ) throws(KernelError) {
    precondition(output.isContiguous, "an output is contiguous")
    precondition(offsets.count * count == output.elementCount, "a block has no place")
    guard output.elementCount > 0 else { return }
    let source = try Copying.contiguous(data)
    let width = data.dataType.byteCount
    nonisolated(unsafe) let (from, to) = (source.base, output.base)
    Parallel.forEachPart(of: offsets.count, operationsPerItem: nanoseconds(count * width)) {
      range in
      for block in range {
        (to + block * count * width).copyMemory(
          from: from + offsets[block] * width, byteCount: count * width)
      }
    }
    withExtendedLifetime(source) {}
  }

  /// About how long copying some bytes takes.
  static func nanoseconds(_ byteCount: Int) -> Int { byteCount / 8 + 2 }

  /// A walk over the elements of `shape` that yields the row-major numbers of those elements of
  /// `data` whose index along `axis` is 0.
  static func lines(of data: Tensor, axis: Int, over shape: Shape) -> StridedLoop {
    var strides = data.strides
    strides[axis] = 0
    return StridedLoop(over: shape, data.view(shape: shape, strides: strides))
  }

  private static func gatherWords<Word: BitwiseCopyable>(
    _ word: Word.Type, _ data: Tensor, _ axis: Int, _ indices: [Int], _ output: Tensor
  ) {
    let loop = lines(of: data, axis: axis, over: output.shape)
    let (step, along) = (loop.rowStrides[0], data.strides[axis])
    nonisolated(unsafe) let source = data.pointer(as: word)
    nonisolated(unsafe) let target = output.pointer(as: word)
    Parallel.forEachPart(of: output.elementCount, operationsPerItem: 2, grain: 64) { range in
      loop.forEachRow(in: range) { position, places, count in
        for i in 0..<count {
          target[position + i] = source[places[0] + i * step + indices[position + i] * along]
        }
      }
    }
  }
}
