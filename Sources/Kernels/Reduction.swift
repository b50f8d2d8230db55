public import Tensors

/// A summary of many numbers.
public enum ReductionOperation: String, Hashable, Sendable, CaseIterable {
  /// Floating-point sums are gathered in double precision; integers wrap around.
  case sum
  /// The sum over the count; integers truncate, nothing at all is NaN (0 for integers).
  case mean
  /// NaN if there is one; the least number of the type for nothing at all.
  case maximum
  /// NaN if there is one; the largest number of the type for nothing at all.
  case minimum
  case product
  /// The sum of x².
  case sumOfSquares
  /// The sum of |x|.
  case sumOfMagnitudes
}

/// Summaries along axes.
public enum Reduction {
  /// Reduces `axes`, each in 0 ..< rank and named once.
  ///
  /// The input is any view. The output is contiguous and has the elements that remain in row-major
  /// order; whether reduced axes are kept with length 1 is the caller's affair. `bool` takes
  /// `maximum` and `minimum` only.
  public static func reduce(
    _ operation: ReductionOperation, _ input: Tensor, axes: [Int], into output: Tensor
  ) throws(KernelError) {
    let stored = input.dataType == .bool ? DataType.uint8 : input.dataType
    precondition(input.dataType == output.dataType, "\(input.dataType) into \(output.dataType)")
    precondition(output.isContiguous, "an output is contiguous")
    guard output.elementCount > 0 else { return }
    if input.dataType == .bool, operation != .maximum, operation != .minimum {
      throw .unsupported(operation.rawValue, .bool)
    }
    let walk = ReductionWalk(input, axes: axes, outputCount: output.elementCount)
    switch stored {
    case .float32: floats(operation, walk, input, output)
    case .float64: numbers(Double.self, Double.self, operation, walk, input, output)
    case .float16, .bfloat16:
      try HalfPrecision.compute(output) { (wide) throws(KernelError) in
        try reduce(operation, HalfPrecision.widened(input), axes: axes, into: wide)
      }
    case .int64: numbers(Int64.self, Int64.self, operation, walk, input, output)
    case .int32: numbers(Int32.self, Int64.self, operation, walk, input, output)
    case .int16: numbers(Int16.self, Int64.self, operation, walk, input, output)
    case .int8: numbers(Int8.self, Int64.self, operation, walk, input, output)
    case .uint64: numbers(UInt64.self, UInt64.self, operation, walk, input, output)
    case .uint32: numbers(UInt32.self, UInt64.self, operation, walk, input, output)
    case .uint16: numbers(UInt16.self, UInt64.self, operation, walk, input, output)
    case .uint8: numbers(UInt8.self, UInt64.self, operation, walk, input, output)
    default: throw .unsupported(operation.rawValue, input.dataType)
    }
  }
}

/// The axes of a reduction, sorted into those that remain and those that go.
struct ReductionWalk {
  /// Over the elements of the output; the input is operand 0.
  let kept: StridedLoop

  /// Over what one element of the output sums up.
  let reduced: StridedLoop

  let outputCount: Int
  let reducedCount: Int

  /// Elements of the output that are computed at once when they, not the summands, are neighbours.
  static let tileCount = 256

  init(_ input: Tensor, axes: [Int], outputCount: Int) {
    let gone = Set(axes)
    let remaining = (0..<input.rank).filter { !gone.contains($0) }
    let going = (0..<input.rank).filter { gone.contains($0) }
    kept = Self.loop(input, remaining)
    reduced = Self.loop(input, going)
    self.outputCount = outputCount
    reducedCount = going.reduce(1) { $0 * input.shape[$1] }
  }

  private static func loop(_ input: Tensor, _ axes: [Int]) -> StridedLoop {
    StridedLoop(dimensions: axes.map { input.shape[$0] }) { axis in
      SIMD4(input.strides[axes[axis]], 0, 0, 0)
    }
  }

  /// True when neighbours in the output are neighbours in memory and summands are not.
  var isColumnwise: Bool {
    kept.rowStrides[0] == 1 && kept.rowCount >= 8 && reducedCount > 1
      && !(reduced.rowStrides[0] == 1 && reduced.rowCount >= 16)
  }
}
