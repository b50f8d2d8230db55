public import Tensors

/// What becomes of the elements that a window sees.
public enum PoolingOperation: String, Hashable, Sendable {
  case maximum, sum
}

/// Sliding windows along single axes; a window of many axes is one pass for each, last axis first.
public enum Pooling {
  /// Combines the elements of each window.
  ///
  /// - Parameters:
  ///   - operation: How; NaN is the largest number.
  ///   - input: Contiguous `float32` or `float64`.
  ///   - axis: The axis that windows slide along.
  ///   - windows: For each place along the axis of the output, which elements it sees; at least one
  ///     for a maximum.
  ///   - places: Where the elements of the input come from; follows the largest ones.
  ///   - output: Contiguous, the shape of the input with as many elements along `axis` as there are
  ///     windows.
  ///   - outputPlaces: Where the largest elements come from.
  /// - Throws: `KernelError` for other types.
  public static func pool(
    _ operation: PoolingOperation, _ input: Tensor, axis: Int, windows: [[Int]],
    places: [Int] = [], into output: Tensor, outputPlaces: inout [Int]
  ) throws(KernelError) {
    precondition(input.isContiguous && output.isContiguous, "windows slide over dense tensors")
    switch output.dataType {
    case .float32:
      slide(Float.self, operation, input, axis, windows, places, output, &outputPlaces)
    case .float64:
      slide(Double.self, operation, input, axis, windows, places, output, &outputPlaces)
    default: throw .unsupported("pooling", output.dataType)
    }
  }

  private static func slide<Number: BinaryFloatingPoint>(
    _ type: Number.Type, _ operation: PoolingOperation, _ input: Tensor, _ axis: Int,
    _ windows: [[Int]], _ places: [Int], _ output: Tensor, _ outputPlaces: inout [Int]
  ) {
    guard output.elementCount > 0 else { return }
    let inner = input.shape.dimensions[(axis + 1)...].reduce(1, *)
    let length = input.shape[axis]
    let outer = input.shape.dimensions[..<axis].reduce(1, *)
    let source = input.pointer(as: type)
    let result = output.pointer(as: type)
    if !places.isEmpty { outputPlaces = [Int](repeating: 0, count: output.elementCount) }
    for block in 0..<outer {
      for (place, window) in windows.enumerated() {
        let target = (block * windows.count + place) * inner
        for i in 0..<inner {
          var total: Number = 0
          var best = -1
          for element in window {
            let position = (block * length + element) * inner + i
            let value = source[position]
            if operation == .sum {
              total += value
            } else if best < 0 || value > source[best] || value.isNaN && !source[best].isNaN {
              best = position
            }
          }
          if operation == .maximum, best >= 0 {
            total = source[best]
            if !places.isEmpty { outputPlaces[target + i] = places[best] }
          }
          result[target + i] = total
        }
      }
    }
  }
}
