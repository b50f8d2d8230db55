public import Tensors

/// Weighted sums of neighbours along one axis.
public enum Resampling {
  /// One place of the output: which elements of the input it sums up, and with what weights.
  public struct Tap: Hashable, Sendable {
    /// Positions along the axis.
    public var positions: [Int]
    /// One weight for each.
    public var weights: [Double]

    /// A weighted sum.
    public init(positions: [Int], weights: [Double]) {
      self.positions = positions
      self.weights = weights
    }
  }

  /// Sums up neighbours along `axis`.
  ///
  /// The input is any view of `float32` or `float64`; the output is contiguous, with one element
  /// along the axis for each tap.
  public static func resample(
    _ input: Tensor, axis: Int, _ taps: [Tap], into output: Tensor
  ) throws(KernelError) {
    precondition(output.isContiguous && output.shape[axis] == taps.count, "a tap for each place")
    let source = try Copying.contiguous(input)
    switch output.dataType {
    case .float32: sum(Float.self, source, axis, taps, output)
    case .float64: sum(Double.self, source, axis, taps, output)
    default: throw .unsupported("resampling", output.dataType)
    }
  }

  private static func sum<Number: BinaryFloatingPoint>(
    _ type: Number.Type, _ input: Tensor, _ axis: Int, _ taps: [Tap], _ output: Tensor
  ) {
    let inner = input.shape.dimensions[(axis + 1)...].reduce(1, *)
    let length = input.shape[axis]
    let outer = input.shape.dimensions[..<axis].reduce(1, *)
    nonisolated(unsafe) let (from, to) = (input.pointer(as: type), output.pointer(as: type))
    let cost = inner * (taps.first?.positions.count ?? 1) + 4
    Parallel.forEachPart(of: outer * taps.count, operationsPerItem: cost) { range in
      for item in range {
        let (block, place) = item.quotientAndRemainder(dividingBy: taps.count)
        let target = to + item * inner
        target.update(repeating: 0, count: inner)
        for (position, weight) in zip(taps[place].positions, taps[place].weights) {
          let row = from + (block * length + position) * inner
          let factor = Number(weight)
          for i in 0..<inner { target[i] += factor * row[i] }
        }
      }
    }
  }
}
