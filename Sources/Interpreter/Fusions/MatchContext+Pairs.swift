import GraphIR
import Rewrite

/// How exporters take rows apart for rotary embeddings.
extension MatchContext {
  /// One element of each pair of neighbours of a row.
  struct PairElement {
    /// The pairs [..., D/2, 2], or the row [..., D] with `isFlat`.
    let source: ValueID
    /// 0 or 1.
    let position: Int
    /// True when the source is the row itself.
    let isFlat: Bool
  }

  /// The axes that a node names, as an operand or, before operator set 13, an attribute.
  func axes(_ node: NodeID) -> [Int]? {
    if case .ints(let axes)? = graph[node].attribute("axes") { return axes }
    return integers(operand(node, 1))
  }

  /// What a value is of the pairs of a row, when it is the first or second of each.
  func pairElement(_ value: ValueID?) -> PairElement? {
    if let node = producer(of: value, "Gather"), let source = operand(node, 0),
      let shape = shape(source), shape.last == 2,
      isLastAxis(integer(node, "axis", default: 0), ofRank: shape.count),
      let index = integers(operand(node, 1)), index.count == 1, (0...1).contains(index[0]),
      self.shape(value)?.count == shape.count - 1
    {
      return PairElement(source: source, position: index[0], isFlat: false)
    }
    if let node = producer(of: value, "Squeeze") ?? producer(of: value, "Reshape"),
      let inner = operand(node, 0), let shape = shape(inner), shape.last == 1,
      self.shape(value) == Array(shape.dropLast())
    {
      if let split = producer(of: inner, "Split"), let source = operand(split, 0),
        self.shape(source)?.last == 2, graph[split].outputs.count == 2,
        isLastAxis(integer(split, "axis", default: 0), ofRank: shape.count)
      {
        return PairElement(
          source: source, position: graph[split].outputs[0] == inner ? 0 : 1, isFlat: false)
      }
      guard let part = slice(inner), part.step == 1, self.shape(part.source)?.last == 2 else {
        return nil
      }
      return PairElement(source: part.source, position: part.start, isFlat: false)
    }
    if let part = slice(value), part.step == 2, (0...1).contains(part.start),
      let own = shape(value)?.last, shape(part.source)?.last == 2 * own
    {
      return PairElement(source: part.source, position: part.start, isFlat: true)
    }
    return nil
  }

  /// The row [..., D] whose pairs these are; nil when they were not made by a reshape.
  func unpaired(_ pairs: ValueID, size: Int) -> ValueID? {
    if shape(pairs)?.last == size { return pairs }
    guard let node = producer(of: pairs, "Reshape"), let row = operand(node, 0),
      shape(row)?.last == size
    else { return nil }
    return row
  }

  /// Which half of a row a value is.
  func half(_ value: ValueID?, of size: Int) -> (source: ValueID, position: Int)? {
    guard let value, size % 2 == 0, shape(value)?.last == size / 2 else { return nil }
    if let split = producer(of: value, "Split"), let source = operand(split, 0),
      graph[split].outputs.count == 2, let shape = shape(source), shape.last == size,
      isLastAxis(integer(split, "axis", default: 0), ofRank: shape.count)
    {
      return (source, graph[split].outputs[0] == value ? 0 : 1)
    }
    guard let part = slice(value), part.step == 1, shape(part.source)?.last == size,
      part.start == 0 || part.start == size / 2
    else { return nil }
    return (part.source, part.start == 0 ? 0 : 1)
  }

  /// A slice of the last axis alone; a negative start is counted from the front.
  private func slice(_ value: ValueID?) -> (source: ValueID, start: Int, step: Int)? {
    guard let node = producer(of: value, "Slice"), let source = operand(node, 0),
      let shape = shape(source), let size = shape.last, let own = self.shape(value),
      own.dropLast() == shape.dropLast()
    else { return nil }
    let starts: [Int]?
    var axes: [Int]?
    var steps: [Int]?
    if case .ints(let numbers)? = graph[node].attribute("starts") {
      starts = numbers
      if case .ints(let numbers)? = graph[node].attribute("axes") { axes = numbers }
    } else {
      starts = integers(operand(node, 1))
      axes = integers(operand(node, 3))
      steps = integers(operand(node, 4))
    }
    let all = axes ?? Array(0..<(starts?.count ?? 0))
    guard let starts, starts.count == all.count,
      let last = all.firstIndex(where: { isLastAxis($0, ofRank: shape.count) })
    else { return nil }
    let start = starts[last] < 0 ? starts[last] + size : starts[last]
    return (source, start, steps.map { $0[last] } ?? 1)
  }
}
