import GraphIR
import Operators
import Rewrite
import Tensors

/// How the legacy exporter writes the places that a ScatterND assigns to.
extension MatchContext {
  /// Elements of index constants that are read at most.
  private static var maximumIndices: Int { 1 << 20 }

  /// The positions along the last axis when indices name, element by element, these positions of
  /// every row of a tensor; nil for other indices.
  ///
  /// They are joined from one grid an axis, each expanded from a range along its axis alone.
  func positionsOfElements(_ places: ValueID?, of shape: [Int]) -> [Int]? {
    guard let own = self.shape(places), own.count == shape.count + 1, own.last == shape.count,
      own.dropLast(2) == shape.dropLast(), let join = producer(of: places, "Concat"),
      isLastAxis(integer(join, "axis", default: 0), ofRank: own.count),
      graph[join].inputs.count == shape.count
    else { return nil }
    var positions: [Int] = []
    for (axis, part) in graph[join].inputs.enumerated() {
      guard let column = producer(of: part, "Unsqueeze"),
        axes(column).map({ $0.count == 1 && isLastAxis($0[0], ofRank: own.count) }) ?? false,
        let grid = operand(column, 0), self.shape(grid) == Array(own.dropLast()),
        let numbers = range(grid, along: axis, ofRank: shape.count)
      else { return nil }
      positions = numbers
      guard axis == shape.count - 1 || numbers.elementsEqual(0..<shape[axis]) else { return nil }
    }
    return positions
  }

  /// The value before reshapes and expansions that do not change its shape.
  func unreshaped(_ value: ValueID?) -> ValueID? {
    var value = value
    while let node = producer(of: value, "Reshape") ?? producer(of: value, "Expand"),
      let before = operand(node, 0), shape(before) == shape(value)
    {
      value = before
    }
    return value
  }

  /// The integers that a grid repeats along all axes but one.
  private func range(_ grid: ValueID, along axis: Int, ofRank rank: Int) -> [Int]? {
    let source = producer(of: grid, "Expand").flatMap { operand($0, 0) } ?? grid
    guard let shape = shape(source), shape.count <= rank else { return nil }
    let place = axis - (rank - shape.count)
    guard shape.enumerated().allSatisfy({ $0.offset == place || $0.element == 1 }) else {
      return nil
    }
    return integers(source) ?? graph.constantIntegers(source, atMost: Self.maximumIndices)
  }
}
