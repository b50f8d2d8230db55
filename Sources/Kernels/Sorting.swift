public import Tensors

/// Orders of elements.
public enum Sorting {
  /// For each row along the last axis, the positions of the first `count` elements in order.
  ///
  /// NaN is larger than every number; equal elements keep their order. The input is any view of
  /// numbers; the result lists the positions of all rows one after another.
  public static func order(
    _ input: Tensor, count: Int, isDescending: Bool
  ) throws(KernelError) -> [Int] {
    switch input.dataType {
    case .float64: return try rows(Double.self, input, count) { before($0, $1, isDescending) }
    case .uint64:
      return try rows(UInt64.self, input, count) { isDescending ? $0 > $1 : $0 < $1 }
    case let type where type.isFloatingPoint:
      return try rows(Float.self, Casting.cast(input, to: .float32), count) {
        before($0, $1, isDescending)
      }
    case let type where type.isInteger || type == .bool:
      return try rows(Int64.self, Casting.cast(input, to: .int64), count) {
        isDescending ? $0 > $1 : $0 < $1
      }
    default: throw .unsupported("sorting", input.dataType)
    }
  }

  private static func before<Number: FloatingPoint>(
    _ a: Number, _ b: Number, _ isDescending: Bool
  ) -> Bool {
    if a.isNaN || b.isNaN { return a.isNaN == b.isNaN ? false : a.isNaN == isDescending }
    return isDescending ? a > b : a < b
  }

  private static func rows<Number: BitwiseCopyable>(
    _ type: Number.Type, _ input: Tensor, _ count: Int, _ precedes: (Number, Number) -> Bool
  ) throws(KernelError) -> [Int] {
    let source = try Copying.contiguous(input)
    defer { withExtendedLifetime(source) {} }
    let length = input.rank == 0 ? 1 : input.shape[input.rank - 1]
    guard length > 0, count > 0 else { return [] }
    var result: [Int] = []
    result.reserveCapacity(input.elementCount / length * count)
    for row in 0..<input.elementCount / length {
      let elements = source.pointer(as: type) + row * length
      let order = (0..<length).sorted { a, b in
        if precedes(elements[a], elements[b]) { return true }
        return precedes(elements[b], elements[a]) ? false : a < b
      }
      result += order.prefix(count)
    }
    return result
  }
}
