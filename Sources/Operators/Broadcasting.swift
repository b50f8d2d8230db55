import GraphIR

/// ONNX's multidirectional broadcasting of shapes that may hold symbols
/// (https://onnx.ai/onnx/repo-docs/Broadcasting.html).
enum Broadcasting {
  /// The shape that all operands broadcast to, or nil while the rank of one is unknown.
  ///
  /// A symbol beside a number other than 1 is taken to be that number, and of two different
  /// symbols the first stands for both. Actual sizes are checked when types are inferred with
  /// numbers.
  static func infer(_ shapes: [[Dimension]?]) throws(OperatorError) -> [Dimension]? {
    let known = shapes.compactMap { $0 }
    guard known.count == shapes.count else { return nil }
    let rank = known.map(\.count).max() ?? 0
    var result = [Dimension](repeating: 1, count: rank)
    for shape in known {
      for (axis, dimension) in zip(rank - shape.count..<rank, shape) {
        guard let joined = join(result[axis], dimension) else {
          throw .badOperands("shapes \(describe(known)) do not broadcast at axis \(axis)")
        }
        result[axis] = joined
      }
    }
    return result
  }

  /// The size that two sizes broadcast to, or nil when they cannot.
  private static func join(_ a: Dimension, _ b: Dimension) -> Dimension? {
    if a == b || b.value == 1 { return a }
    if a.value == 1 { return b }
    switch (a.value, b.value) {
    case (nil, nil), (.some, nil): return a
    case (nil, .some): return b
    case (.some, .some): return nil
    }
  }

  private static func describe(_ shapes: [[Dimension]]) -> String {
    shapes.map(\.description).joined(separator: ", ")
  }
}
