import GraphIR
import Operators
import Rewrite
import Tensors

/// Rotary embedding written by two assignments to strided slices becomes `FusedRotary`.
///
/// PyTorch's `out[..., 0::2] = a cos - b sin; out[..., 1::2] = a sin + b cos` is exported as two
/// ScatterND which together write all of a tensor: one whose last axis was moved to the front or, by
/// the legacy exporter, element by element.
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
    /// How the rotated rows are transposed; nil for not at all.
    let order: [Int]?
    let type: DataType
    let result: [Attribute]
  }

  func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    guard let base = context.source(of: context.operand(node, 0)),
      let earlier = context.producer(of: base, "ScatterND"),
      let result = context.shape(context.result(node)), !result.isEmpty
    else { throw .notThisPattern }
    let writes = [earlier, node].map { assignment($0, to: result, context) }
    guard let length = writes[0].map({ $0.order == nil ? result[result.count - 1] : result[0] }),
      let lower = writes.compactMap({ $0 }).first(where: { $0.isEverySecond(from: 0, to: length) }),
      let upper = writes.compactMap({ $0 }).first(where: { $0.isEverySecond(from: 1, to: length) })
    else { throw .declined("the two assignments do not write all even and all odd positions") }
    guard isPlain(earlier, context), isPlain(node, context) else {
      throw .declined("an assignment reduces")
    }
    guard lower.order == upper.order else {
      throw .declined("what is assigned is not transposed from a rotation")
    }
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
      Shape.broadcasts(other, to: half)
    else { throw .declined("the tables do not broadcast to the pairs") }
    let x = a.element.source
    try context.requireFusible(x, "the elements are")
    try context.requireFusible(a.table, "the tables are")
    guard let type = context.dataType(context.result(node)), type.isFusible else {
      throw .declined("what is written is of another type")
    }
    return Match(
      node: node, x: x, isPaired: !a.element.isFlat, cosines: a.table,
      sines: b.table, shape: half.dropLast() + [2 * size], order: lower.order, type: type,
      result: context.resultType(context.result(node), unlike: x))
  }

  func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let graph = editor.original
    let rotated =
      match.order == nil
      ? graph[match.node].outputs[0]
      : editor.makeValue(
        like: graph.name(of: match.x), type: .tensor(match.type, match.shape.map { Dimension($0) }))
    editor.remove(match.node)
    editor.insert(
      Node(
        .fused("FusedRotary"), name: graph[match.node].name,
        inputs: [match.x, match.cosines, match.sines], outputs: [rotated],
        attributes: [
          Attribute("form", .text("pairs")),
          Attribute("paired_input", .int(match.isPaired ? 1 : 0)),
        ] + match.result, scopes: graph[match.node].scopes), before: match.node)
    guard let order = match.order else { return "pairs rotated in one pass" }
    editor.insert(
      Node(
        "Transpose", inputs: [rotated], outputs: graph[match.node].outputs,
        attributes: [Attribute("perm", .ints(order))], scopes: graph[match.node].scopes),
      before: match.node)
    return "pairs rotated in one pass"
  }

  private func isPlain(_ node: NodeID, _ context: MatchContext) -> Bool {
    guard case .string(let word)? = context.graph[node].attribute("reduction") else { return true }
    return word == Array("none".utf8)
  }

  /// What a ScatterND assigns to which positions along the last axis, before it was rounded and
  /// transposed.
  private struct Assignment {
    let positions: [Int]
    let value: ValueID
    let order: [Int]?

    func isEverySecond(from start: Int, to end: Int) -> Bool {
      positions.elementsEqual(stride(from: start, to: end, by: 2))
    }
  }

  private func assignment(
    _ node: NodeID, to shape: [Int], _ context: MatchContext
  ) -> Assignment? {
    let places = context.operand(node, 1)
    let update = context.unreshaped(context.operand(node, 2))
    if let positions = context.positionsOfElements(places, of: shape) {
      return context.beforeRounding(update).map {
        Assignment(positions: positions, value: $0, order: nil)
      }
    }
    guard let positions = context.integers(places),
      let turn = context.producer(of: update, "Transpose"),
      let before = context.beforeRounding(context.operand(turn, 0)),
      let order = context.permutation(turn), order.first == order.count - 1
    else { return nil }
    return Assignment(positions: positions, value: before, order: order)
  }

  /// One factor of a product is an element of each pair, the other a table.
  private func term(
    _ node: NodeID, _ position: Int, _ context: MatchContext
  ) -> (element: MatchContext.PairElement, table: ValueID)? {
    guard let product = context.producer(of: context.operand(node, position), "Mul") else {
      return nil
    }
    for side in 0..<2 {
      if let value = context.beforeWidening(context.operand(product, side)),
        let table = context.beforeWidening(context.operand(product, 1 - side)),
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
