/// The dimensions of a tensor, outermost first; a scalar has none.
///
/// A `Shape` is valid by construction: no dimension is negative and the element count fits in `Int`.
public struct Shape: Hashable, Sendable {
  /// The dimensions, outermost first.
  public let dimensions: [Int]

  /// The product of the dimensions, 1 for a scalar.
  public let elementCount: Int

  /// A shape, checked.
  public init(_ dimensions: [Int]) throws(ArithmeticOverflow) {
    elementCount = try Checked.product(of: dimensions)
    self.dimensions = dimensions
  }

  private init(unchecked dimensions: [Int], elementCount: Int) {
    self.dimensions = dimensions
    self.elementCount = elementCount
  }

  /// The shape of a scalar.
  public static let scalar = Shape(unchecked: [], elementCount: 1)

  /// The shape of a list of `count` elements; a negative count is a programming error.
  public static func vector(_ count: Int) -> Shape {
    precondition(count >= 0, "a vector cannot have \(count) elements")
    return Shape(unchecked: [count], elementCount: count)
  }

  /// The number of dimensions.
  public var rank: Int { dimensions.count }

  /// One dimension; `axis` lies in 0 ..< rank.
  public subscript(axis: Int) -> Int { dimensions[axis] }

  /// Distances in elements between neighbours along each axis, for row-major storage.
  public var rowMajorStrides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    var step = 1
    for axis in stride(from: rank - 1, through: 0, by: -1) {
      strides[axis] = step
      step *= Swift.max(dimensions[axis], 1)
    }
    return strides
  }

  /// The axis counted from the front, so that -1 becomes rank − 1.
  ///
  /// Nil when it is outside -rank ..< rank.
  public func normalized(axis: Int) -> Int? {
    guard axis >= -rank, axis < rank else { return nil }
    return axis < 0 ? axis + rank : axis
  }

  /// The shape both broadcast to by ONNX's multidirectional rule
  /// (https://onnx.ai/onnx/repo-docs/Broadcasting.html), or nil when they do not.
  public func broadcast(with other: Shape) -> Shape? {
    let rank = Swift.max(self.rank, other.rank)
    var result = [Int](repeating: 1, count: rank)
    for axis in 0..<rank {
      let a = axis < rank - self.rank ? 1 : dimensions[axis - (rank - self.rank)]
      let b = axis < rank - other.rank ? 1 : other.dimensions[axis - (rank - other.rank)]
      guard a == b || a == 1 || b == 1 else { return nil }
      result[axis] = a == 1 ? b : a
    }
    return try? Shape(result)
  }
}

extension Shape: CustomStringConvertible {
  /// The dimensions as `[1, 4, 3]`.
  public var description: String {
    "[" + dimensions.map(String.init).joined(separator: ", ") + "]"
  }
}
