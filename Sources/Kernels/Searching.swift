public import Tensors

/// Positions of elements.
public enum Searching {
  /// Where along `axis` the largest or smallest element is, the first or the last of equals.
  ///
  /// NaN counts as larger and as smaller than every number. The axis is not empty. The output is contiguous
  /// `int64` and holds one position for each element that remains, in row-major order.
  public static func positionOfExtreme(
    _ input: Tensor, axis: Int, isSmallest: Bool = false, takesLast: Bool, into output: Tensor
  ) throws(KernelError) {
    precondition(output.dataType == .int64 && output.isContiguous, "positions are int64")
    guard output.elementCount > 0 else { return }
    switch input.dataType {
    case .float32:
      search(Float.self, input, axis, takesLast, output) {
        (isSmallest ? $0 < $1 : $0 > $1) || $0.isNaN
      }
    case .float64:
      search(Double.self, input, axis, takesLast, output) {
        (isSmallest ? $0 < $1 : $0 > $1) || $0.isNaN
      }
    case .float16, .bfloat16:
      try positionOfExtreme(
        Casting.cast(input, to: .float32), axis: axis, isSmallest: isSmallest,
        takesLast: takesLast, into: output)
    case .uint64:
      search(UInt64.self, input, axis, takesLast, output) { isSmallest ? $0 < $1 : $0 > $1 }
    case let type where type.isInteger:
      search(
        Int64.self, try Casting.cast(input, to: .int64), axis, takesLast, output
      ) { isSmallest ? $0 < $1 : $0 > $1 }
    default: throw .unsupported("a search for an extreme", input.dataType)
    }
  }

  private static func search<Number: BitwiseCopyable & Equatable>(
    _ type: Number.Type, _ input: Tensor, _ axis: Int, _ takesLast: Bool, _ output: Tensor,
    _ isLarger: (Number, Number) -> Bool
  ) {
    let source = input.pointer(as: type)
    let result = output.pointer(as: Int64.self)
    let (length, step) = (input.shape[axis], input.strides[axis])
    let remaining = (0..<input.rank).filter { $0 != axis }
    let kept = StridedLoop(dimensions: remaining.map { input.shape[$0] }) {
      SIMD4(input.strides[remaining[$0]], 0, 0, 0)
    }
    Parallel.forEachPart(of: output.elementCount, operationsPerItem: 2 * length) { range in
      kept.forEachRow(in: range) { position, places, count in
        for i in 0..<count {
          let start = source + places[0] + i * kept.rowStrides[0]
          var best = 0
          for j in 1..<Swift.max(1, length) {
            let (element, largest) = (start[j * step], start[best * step])
            if largest != largest && !(takesLast && element != element) { continue }
            if isLarger(element, largest) || takesLast && element == largest { best = j }
          }
          result[position + i] = Int64(best)
        }
      }
    }
  }
}
