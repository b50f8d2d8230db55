import GraphIR
import Operators
import Rewrite
import Tensors

/// x · cosines + rotated x · sines becomes `FusedRotary`, where the rotated x is stacked from the
/// slices of pairs, or of halves, one of them negated.
struct RotaryFusion: RewriteRule {
  static let name = "fused-rotary"
  static let roots: Set<OpKey> = ["Add"]

  struct Match: Sendable {
    let node: NodeID
    let x: ValueID
    let cosines: ValueID
    let sines: ValueID
    let form: String
  }

  func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    for (first, second) in [(0, 1), (1, 0)] {
      guard let straight = context.producer(of: context.operand(node, first), "Mul"),
        let turned = context.producer(of: context.operand(node, second), "Mul")
      else { throw .notThisPattern }
      for position in 0..<2 {
        guard let rotated = context.operand(turned, position),
          let sines = context.operand(turned, 1 - position),
          let (x, form) = rotation(rotated, context),
          let cosines = context.partner(of: x, in: straight),
          context.operand(straight, 0) == x || context.operand(straight, 1) == x
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
    guard context.dataType(x) == .float32 else {
      throw .declined("the elements are \(context.dataType(x)?.description ?? "unknown")")
    }
    guard let shape = context.shape(x), let table = context.shape(cosines),
      let other = context.shape(sines), table.last == shape.last, other.last == shape.last,
      Shape.broadcasts(table, to: shape), Shape.broadcasts(other, to: shape)
    else { throw .declined("the tables do not broadcast to the rows") }
    return Match(node: node, x: x, cosines: cosines, sines: sines, form: form)
  }

  func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let graph = editor.original
    editor.remove(match.node)
    editor.insert(
      Node(
        .fused("FusedRotary"), name: graph[match.node].name,
        inputs: [match.x, match.cosines, match.sines], outputs: graph[match.node].outputs,
        attributes: [Attribute("form", .text(match.form))], scopes: graph[match.node].scopes),
      before: match.node)
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
