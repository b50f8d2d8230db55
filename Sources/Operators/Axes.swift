import GraphIR
import Tensors

/// Axes as models write them: -1 is the last one.
enum Axes {
  /// The axis counted from the front; outside -rank ..< rank is an error.
  static func normalize(_ axis: Int, rank: Int) throws(OperatorError) -> Int {
    guard axis >= -rank, axis < rank else {
      throw .badOperands("axis \(axis) is outside a tensor of rank \(rank)")
    }
    return axis < 0 ? axis + rank : axis
  }

  /// All axes counted from the front, in the given order; naming one twice is an error.
  static func normalize(_ axes: [Int], rank: Int) throws(OperatorError) -> [Int] {
    var result: [Int] = []
    for axis in axes {
      let normal = try normalize(axis, rank: rank)
      guard !result.contains(normal) else {
        throw .badOperands("axes \(axes) name axis \(normal) twice")
      }
      result.append(normal)
    }
    return result
  }
}

extension Shape {
  /// A shape of sizes that were computed from a model's numbers.
  static func checked(_ dimensions: [Int]) throws(OperatorError) -> Shape {
    do {
      return try Shape(dimensions)
    } catch {
      throw .overflow(error)
    }
  }
}
