import GraphIR
import Operators
import Rewrite
import Tensors

/// Two matrix products with a softmax between them become `FusedAttention`.
///
/// The forms of exporters: factors on queries, keys or scores; keys transposed by the last two axes
/// or through three axes; a mask added to the scores; NaN replaced by 0 behind the softmax.
struct AttentionFusion: RewriteRule {
  static let name = "fused-attention"
  static let roots: Set<OpKey> = ["MatMul"]

  let precision: MatrixPrecision

  struct Match: Sendable {
    let node: NodeID
    let query: ValueID
    let key: ValueID
    let keyIsTransposed: Bool
    let value: ValueID
    let mask: ValueID?
    let scale: Float
    let hiddenIsZero: Bool
    let result: [Attribute]
  }

  func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    guard let weights = context.operand(node, 0), let value = context.operand(node, 1),
      let (softmax, hiddenIsZero) = softmax(of: weights, context)
    else { throw .notThisPattern }
    guard context.soleUser(weights) != nil else {
      throw .declined("the weights are read elsewhere")
    }
    var scores = context.beforeWidening(context.operand(softmax, 0))
    guard let shape = context.shape(scores), let valueShape = context.shape(value) else {
      throw .declined("the sizes of the scores are not known")
    }
    guard
      context.isLastAxis(context.integer(softmax, "axis", default: -1), ofRank: shape.count)
    else { throw .declined("the softmax is not along the keys") }
    var mask: ValueID?
    if let sum = context.producer(of: scores, "Add"), context.producer(of: scores, "MatMul") == nil
    {
      let sides = [context.operand(sum, 0), context.operand(sum, 1)]
      guard let position = sides.firstIndex(where: { isScaledProduct($0, context) }) else {
        throw .notThisPattern
      }
      scores = sides[position]
      mask = context.beforeWidening(sides[1 - position])
    }
    var scale: Float = 1
    scores = stripFactors(scores, context, &scale)
    guard let product = context.producer(of: scores, "MatMul") else { throw .notThisPattern }
    var query = context.operand(product, 0)
    query = stripFactors(query, context, &scale)
    var key = stripFactors(context.operand(product, 1), context, &scale)
    var keyIsTransposed = true
    if let before = untransposed(key, context) {
      key = stripFactors(before, context, &scale)
      keyIsTransposed = false
    }
    guard let query, let key, let queryShape = context.shape(query),
      let keyShape = context.shape(key)
    else { throw .declined("the sizes of queries and keys are not known") }
    try context.requireFusible(query, "queries are")
    try context.requireFusible(key, "keys are")
    try context.requireFusible(value, "values are")
    guard scale > 0, scale.isFinite else { throw .declined("the scores are scaled by \(scale)") }
    let rank = queryShape.count
    guard rank == 3 || rank == 4, keyShape.count == rank, valueShape.count == rank else {
      throw .declined("queries have \(rank) axes, keys \(keyShape.count)")
    }
    guard keyShape.prefix(rank - 2) == queryShape.prefix(rank - 2),
      valueShape.prefix(rank - 2) == queryShape.prefix(rank - 2)
    else { throw .declined("queries and keys have different batches or heads") }
    if let mask {
      guard let own = context.shape(mask), Shape.broadcasts(own, to: shape),
        context.dataType(mask)?.isFusible == true
      else { throw .declined("the mask does not broadcast to the scores") }
    }
    return Match(
      node: node, query: query, key: key, keyIsTransposed: keyIsTransposed, value: value,
      mask: mask, scale: scale, hiddenIsZero: hiddenIsZero,
      result: context.resultType(context.result(node), unlike: query))
  }

  func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let graph = editor.original
    var key = match.key
    if match.keyIsTransposed, let type = graph.tensorType(of: key), let shape = type.shape {
      var order = Array(0..<shape.count)
      order.swapAt(shape.count - 1, shape.count - 2)
      key = editor.makeValue(
        like: graph.name(of: key), type: .tensor(type.dataType, order.map { shape[$0] }))
      editor.insert(
        Node(
          "Transpose", inputs: [match.key], outputs: [key],
          attributes: [Attribute("perm", .ints(order))]), before: match.node)
    }
    editor.remove(match.node)
    editor.insert(
      Node(
        .fused("FusedAttention"), name: graph[match.node].name,
        inputs: [match.query, key, match.value, match.mask], outputs: graph[match.node].outputs,
        attributes: [
          Attribute("scale", .float(match.scale)),
          Attribute("hidden_is_zero", .int(match.hiddenIsZero ? 1 : 0)),
          Attribute("precision", .text(precision.rawValue)),
        ] + match.result, scopes: graph[match.node].scopes), before: match.node)
    return "attention in tiles" + (match.mask == nil ? "" : " with a mask")
  }

  /// The softmax that yields weights, and whether NaN becomes 0 behind it.
  private func softmax(
    of weights: ValueID, _ context: MatchContext
  ) -> (node: NodeID, hiddenIsZero: Bool)? {
    let rounded = context.beforeRounding(weights)
    if let node = context.producer(of: rounded, "Softmax") { return (node, false) }
    guard let choice = context.producer(of: rounded, "Where"),
      let test = context.producer(of: context.operand(choice, 0), "IsNaN"),
      let own = context.operand(choice, 2), context.operand(test, 0) == own,
      context.number(context.operand(choice, 1)) == 0,
      let node = context.producer(of: own, "Softmax")
    else { return nil }
    return (node, true)
  }

  private func isScaledProduct(_ value: ValueID?, _ context: MatchContext) -> Bool {
    var scale: Float = 1
    return context.producer(of: stripFactors(value, context, &scale), "MatMul") != nil
  }

  /// The value before multiplications with, and divisions by, constant numbers.
  private func stripFactors(
    _ value: ValueID?, _ context: MatchContext, _ scale: inout Float
  ) -> ValueID? {
    var value = context.beforeWidening(context.source(of: value))
    while let current = value {
      if let node = context.producer(of: current, "Mul") {
        let (a, b) = (context.operand(node, 0), context.operand(node, 1))
        if let number = context.number(b), context.shape(a) == context.shape(current) {
          scale *= number
          value = context.beforeWidening(context.source(of: a))
        } else if let number = context.number(a), context.shape(b) == context.shape(current) {
          scale *= number
          value = context.beforeWidening(context.source(of: b))
        } else {
          return value
        }
      } else if let node = context.producer(of: current, "Div"),
        let number = context.number(context.operand(node, 1)),
        context.shape(context.operand(node, 0)) == context.shape(current)
      {
        scale /= number
        value = context.beforeWidening(context.source(of: context.operand(node, 0)))
      } else {
        return value
      }
    }
    return value
  }

  /// The value of which another is the transposition by the last two axes.
  private func untransposed(_ value: ValueID?, _ context: MatchContext) -> ValueID? {
    guard let shape = context.shape(value), shape.count >= 3 else { return nil }
    var swapped = Array(0..<shape.count)
    swapped.swapAt(shape.count - 1, shape.count - 2)
    if let node = context.producer(of: value, "Transpose") {
      return context.permutation(node) == swapped ? context.operand(node, 0) : nil
    }
    guard let outer = context.producer(of: value, "Reshape"),
      let turn = context.producer(of: context.operand(outer, 0), "Transpose"),
      context.permutation(turn) == [0, 2, 1],
      let inner = context.producer(of: context.operand(turn, 0), "Reshape"),
      let source = context.operand(inner, 0), let before = context.shape(source),
      before == swapped.map({ shape[$0] }),
      context.shape(context.operand(turn, 0))?.suffix(2) == before.suffix(2)
    else { return nil }
    return source
  }
}
