import GraphIR
import Operators
import Rewrite
import Tensors

/// x · cosines + rotated x · sines becomes `FusedRotary`, where the rotated x is stacked from the
/// slices of pairs, or of halves, one of them negated; Casts around the sum are taken in.
struct RotaryFusion: RewriteRule {
  static let name = "fused-rotary"
  static let roots: Set<OpKey> = ["Add"]

  struct Match: Sendable {
    let node: NodeID
    let x: ValueID
    let cosines: ValueID
    let sines: ValueID
    let form: String
    let rounding: NodeID?
    let result: [Attribute]
  }

  func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    for (first, second) in [(0, 1), (1, 0)] {
      guard let straight = context.producer(of: context.operand(node, first), "Mul"),
        let turned = context.producer(of: context.operand(node, second), "Mul")
      else { throw .notThisPattern }
      for position in 0..<2 {
        guard let rotated = context.operand(turned, position),
          let sines = context.operand(turned, 1 - position),
          let (x, form) = rotation(context.beforeWidening(rotated) ?? rotated, context),
          let side = (0..<2).first(where: {
            context.beforeWidening(context.operand(straight, $0)) == x
          }), let cosines = context.operand(straight, 1 - side)
        else { continue }
        return try checked(node, x, cosines, sines, form, context)
      }
    }
    throw .notThisPattern
  }

  private func checked(
    _ node: NodeID, _ x: ValueID, _ cosines: ValueID, _ sines: ValueID, _ form: String,
    _ context: MatchContext
  ) throws(MatchFailure) -> Match {
    try context.requireFusible(x, "the elements are")
    try context.requireFusible(cosines, "the tables are")
    guard let shape = context.shape(x), let table = context.shape(cosines),
      let other = context.shape(sines), table.last == shape.last, other.last == shape.last,
      Shape.broadcasts(table, to: shape), Shape.broadcasts(other, to: shape)
    else { throw .declined("the tables do not broadcast to the rows") }
    let sum = context.result(node)
    let rounding = sum.flatMap { context.rounding(of: $0) }
    return Match(
      node: node, x: x, cosines: cosines, sines: sines, form: form, rounding: rounding,
      result: context.resultType(rounding.map { context.result($0) } ?? sum, unlike: x))
  }

  func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let graph = editor.original
    let last = match.rounding ?? match.node
    editor.remove(match.node)
    if let rounding = match.rounding { editor.remove(rounding) }
    editor.insert(
      Node(
        .fused("FusedRotary"), name: graph[match.node].name,
        inputs: [match.x, match.cosines, match.sines], outputs: graph[last].outputs,
        attributes: [Attribute("form", .text(match.form))] + match.result,
        scopes: graph[match.node].scopes), before: match.node)
    return match.form == "halves" ? "halves rotated in one pass" : "pairs rotated in one pass"
  }

  /// The value of which another is the rotation, and how its elements are paired.
  private func rotation(
    _ value: ValueID, _ context: MatchContext
  ) -> (x: ValueID, form: String)? {
    guard let shape = context.shape(value), let size = shape.last else { return nil }
    if let flat = context.producer(of: value, "Reshape") ?? context.producer(of: value, "Flatten"),
      let stack = context.operand(flat, 0),
      let (negated, plain) = sides(of: stack, context),
      let a = context.pairElement(negated), let b = context.pairElement(plain),
      a.position == 1, b.position == 0, a.source == b.source,
      let x = context.unpaired(a.source, size: size), context.shape(x) == shape
    {
      return (x, "pairs_twice")
    }
    guard let (negated, plain) = sides(of: value, context),
      let a = context.half(negated, of: size), let b = context.half(plain, of: size),
      a.position == 1, b.position == 0, a.source == b.source, context.shape(a.source) == shape
    else { return nil }
    return (a.source, "halves")
  }

  /// What is negated, and what follows it, in a concatenation along the last axis.
  private func sides(
    of value: ValueID, _ context: MatchContext
  ) -> (negated: ValueID, plain: ValueID)? {
    guard let join = context.producer(of: value, "Concat"), context.graph[join].inputs.count == 2,
      let shape = context.shape(value),
      context.isLastAxis(context.integer(join, "axis", default: 0), ofRank: shape.count),
      let first = unstacked(context.operand(join, 0), context),
      let plain = unstacked(context.operand(join, 1), context),
      let negation = context.producer(of: first, "Neg"), let negated = context.operand(negation, 0)
    else { return nil }
    return (negated, plain)
  }

  /// The value before an axis of one was put behind it.
  private func unstacked(_ value: ValueID?, _ context: MatchContext) -> ValueID? {
    guard let value, let node = context.producer(of: value, "Unsqueeze"),
      let rank = context.shape(value)?.count, let axes = context.axes(node), axes.count == 1,
      context.isLastAxis(axes[0], ofRank: rank)
    else { return value }
    return context.operand(node, 0)
  }
}
