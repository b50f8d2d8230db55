import GraphIR
import Operators
import Rewrite
import Tensors

/// Rotary embedding written by two assignments to strided slices becomes `FusedRotary`.
///
/// PyTorch's `out[..., 0::2] = a cos - b sin; out[..., 1::2] = a sin + b cos` is exported as two
/// ScatterND over a tensor whose last axis was moved to the front; together they write all of it.
struct ScatteredRotaryFusion: RewriteRule {
  static let name = "fused-scattered-rotary"
  static let roots: Set<OpKey> = ["ScatterND"]

  struct Match: Sendable {
    let node: NodeID
    let x: ValueID
    let isPaired: Bool
    let cosines: ValueID
    let sines: ValueID
    let shape: [Int]
    let order: [Int]
  }

  func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    guard let base = context.source(of: context.operand(node, 0)),
      let earlier = context.producer(of: base, "ScatterND"),
      let result = context.shape(context.result(node))
    else { throw .notThisPattern }
    let writes = [earlier, node].map { (context.integers(context.operand($0, 1)), $0) }
    let (even, odd) = (progression(0, result[0]), progression(1, result[0]))
    guard let first = writes.first(where: { $0.0 == even })?.1,
      let second = writes.first(where: { $0.0 == odd })?.1
    else { throw .declined("the two assignments do not write all even and all odd positions") }
    guard isPlain(first, context), isPlain(second, context) else {
      throw .declined("an assignment reduces")
    }
    guard let lower = moved(context.operand(first, 2), context),
      let upper = moved(context.operand(second, 2), context), lower.order == upper.order
    else { throw .declined("what is assigned is not transposed from a rotation") }
    guard let difference = context.producer(of: lower.value, "Sub"),
      let sum = context.producer(of: upper.value, "Add"),
      let a = term(difference, 0, context), let b = term(difference, 1, context),
      a.element.position == 0, b.element.position == 1, a.element.source == b.element.source
    else { throw .declined("the even elements are not a · cos - b · sin") }
    let terms = [term(sum, 0, context), term(sum, 1, context)].compactMap { $0 }
    guard terms.count == 2,
      terms.contains(where: { $0.element.position == 0 && $0.table == b.table }),
      terms.contains(where: { $0.element.position == 1 && $0.table == a.table }),
      terms.allSatisfy({ $0.element.source == a.element.source })
    else { throw .declined("the odd elements are not a · sin + b · cos") }
    guard let half = context.shape(lower.value), let size = half.last,
      let table = context.shape(a.table), let other = context.shape(b.table),
      table.last == size, other.last == size, Shape.broadcasts(table, to: half),
      Shape.broadcasts(other, to: half), context.dataType(a.table) == .float32
    else { throw .declined("the tables do not broadcast to the pairs") }
    return Match(
      node: node, x: a.element.source, isPaired: !a.element.isFlat, cosines: a.table,
      sines: b.table, shape: half.dropLast() + [2 * size], order: lower.order)
  }

  func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let graph = editor.original
    let rotated = editor.makeValue(
      like: graph.name(of: match.x), type: .tensor(.float32, match.shape.map { Dimension($0) }))
    editor.remove(match.node)
    editor.insert(
      Node(
        .fused("FusedRotary"), name: graph[match.node].name,
        inputs: [match.x, match.cosines, match.sines], outputs: [rotated],
        attributes: [
          Attribute("form", .text("pairs")),
          Attribute("paired_input", .int(match.isPaired ? 1 : 0)),
        ], scopes: graph[match.node].scopes), before: match.node)
    editor.insert(
      Node(
        "Transpose", inputs: [rotated], outputs: graph[match.node].outputs,
        attributes: [Attribute("perm", .ints(match.order))], scopes: graph[match.node].scopes),
      before: match.node)
    return "pairs rotated in one pass"
  }

  private func progression(_ start: Int, _ end: Int) -> [Int] {
    Array(stride(from: start, to: end, by: 2))
  }

  private func isPlain(_ node: NodeID, _ context: MatchContext) -> Bool {
    guard case .string(let word)? = context.graph[node].attribute("reduction") else { return true }
    return word == Array("none".utf8)
  }

  /// The value before its last axis was moved to the front, and the permutation.
  private func moved(
    _ value: ValueID?, _ context: MatchContext
  ) -> (value: ValueID, order: [Int])? {
    guard let node = context.producer(of: value, "Transpose"),
      let before = context.operand(node, 0), let order = context.permutation(node),
      order.first == order.count - 1
    else { return nil }
    return (before, order)
  }

  /// One factor of a product is an element of each pair, the other a table.
  private func term(
    _ node: NodeID, _ position: Int, _ context: MatchContext
  ) -> (element: MatchContext.PairElement, table: ValueID)? {
    guard let product = context.producer(of: context.operand(node, position), "Mul") else {
      return nil
    }
    for side in 0..<2 {
      if let value = context.operand(product, side),
        let table = context.operand(product, 1 - side),
        let element = context.pairElement(value), !isTableOfPairs(element, table, context)
      {
        return (element, table)
      }
    }
    return nil
  }

  /// True when the "element" is itself the slice of a table: it has one head and the other many.
  private func isTableOfPairs(
    _ element: MatchContext.PairElement, _ table: ValueID, _ context: MatchContext
  ) -> Bool {
    guard let own = context.shape(element.source), let other = context.shape(table) else {
      return false
    }
    let count = own.reduce(1, *)
    return count < 2 * other.reduce(1, *)
  }
}
