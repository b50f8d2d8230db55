public import Tensors

/// Running sums.
public enum Scanning {
  /// The sums along `axis` of all elements up to each one.
  ///
  /// Floating-point sums are gathered in double precision; integers wrap around.
  ///
  /// - Parameters:
  ///   - input: Numbers, any view.
  ///   - axis: In 0 ..< rank.
  ///   - isExclusive: Whether an element is left out of its own sum.
  ///   - isReversed: Whether sums run from the last element to the first.
  ///   - output: Contiguous, of the type and shape of the input.
  /// - Throws: `KernelError` for a type without an implementation.
  public static func sums(
    _ input: Tensor, axis: Int, isExclusive: Bool, isReversed: Bool, into output: Tensor
  ) throws(KernelError) {
    precondition(input.shape == output.shape && output.isContiguous, "sums keep the shape")
    precondition(input.dataType == output.dataType, "sums keep the type")
    guard output.elementCount > 0 else { return }
    let walk = AxisWalk(input, axis: axis, output, isReversed: isReversed)
    switch input.dataType {
    case .float32: walk.scan(isExclusive, 0.0, { $0 += Double($1) }, { Float($0) })
    case .float64: walk.scan(isExclusive, 0.0, { $0 += $1 as Double }, { $0 })
    case .float16, .bfloat16:
      try HalfPrecision.compute(output) { wide throws(KernelError) in
        try sums(
          HalfPrecision.widened(input), axis: axis, isExclusive: isExclusive,
          isReversed: isReversed, into: wide)
      }
    case .int64: walk.scan(isExclusive, 0, { $0 = $0 &+ ($1 as Int64) }, { $0 as Int64 })
    case .int32: walk.scan(isExclusive, 0, { $0 = $0 &+ ($1 as Int32) }, { $0 as Int32 })
    case let type where type.isInteger:
      let wide = try Copying.makeTensor(.int64, output.shape)
      try sums(
        Casting.cast(input, to: .int64), axis: axis, isExclusive: isExclusive,
        isReversed: isReversed, into: wide)
      try Casting.cast(wide, into: output)
    default: throw .unsupported("a running sum", input.dataType)
    }
  }
}

/// A walk over the rows of a tensor that lie along one axis.
private struct AxisWalk {
  private let input: Tensor
  private let output: Tensor
  private let length: Int
  private let inputStep: Int
  private let outputStep: Int
  private let isReversed: Bool
  private let others: StridedLoop

  init(_ input: Tensor, axis: Int, _ output: Tensor, isReversed: Bool) {
    self.input = input
    self.output = output
    self.isReversed = isReversed
    length = input.shape[axis]
    (inputStep, outputStep) = (input.strides[axis], output.strides[axis])
    let remaining = (0..<input.rank).filter { $0 != axis }
    others = StridedLoop(dimensions: remaining.map { input.shape[$0] }) {
      SIMD4(input.strides[remaining[$0]], output.strides[remaining[$0]], 0, 0)
    }
  }

  func scan<Number: BitwiseCopyable, Total>(
    _ isExclusive: Bool, _ zero: Total, _ add: (inout Total, Number) -> Void,
    _ finish: (Total) -> Number
  ) {
    let source = input.pointer(as: Number.self)
    let result = output.pointer(as: Number.self)
    Parallel.forEachPart(of: others.count, operationsPerItem: 2 * length) { range in
      others.forEachRow(in: range) { _, places, count in
        for i in 0..<count {
          let from = source + places[0] + i * others.rowStrides[0]
          let to = result + places[1] + i * others.rowStrides[1]
          var total = zero
          for step in 0..<length {
            let position = isReversed ? length - 1 - step : step
            if isExclusive { to[position * outputStep] = finish(total) }
            add(&total, from[position * inputStep])
            if !isExclusive { to[position * outputStep] = finish(total) }
          }
        }
      }
    }
  }
}
