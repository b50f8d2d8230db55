import GraphIR
import Operators
import Rewrite
import Tensors

/// GELU written out, x/2 · (1 + erf(x/√2)) or its approximation by tanh, becomes one operator.
struct GeluFusion: RewriteRule {
  static let name = "fused-gelu"
  static let roots: Set<OpKey> = ["Erf", "Tanh"]

  struct Match: Sendable {
    let last: NodeID
    let x: ValueID
    let isApproximate: Bool
  }

  func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    let isApproximate = context.graph[node].op == "Tanh"
    guard let inner = context.operand(node, 0), let value = context.result(node),
      let x = isApproximate ? tanhArgument(inner, context) : erfArgument(inner, context),
      let sum = context.soleUser(value), context.graph[sum].op == "Add",
      let addend = context.partner(of: value, in: sum), context.isNear(addend, 1),
      let one = context.result(sum)
    else { throw .notThisPattern }
    guard let (last, factor) = product(from: one, x, context), abs(factor - 0.5) < 1e-5 else {
      throw .declined("the sum is not multiplied with half of x")
    }
    try context.requireFusible(x, "the elements are")
    return Match(last: last, x: x, isApproximate: isApproximate)
  }

  func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let graph = editor.original
    editor.remove(match.last)
    editor.insert(
      Node(
        OpKey(match.isApproximate ? "FastGelu" : "Gelu", domain: "com.microsoft"),
        name: graph[match.last].name, inputs: [match.x], outputs: [graph[match.last].outputs[0]],
        scopes: graph[match.last].scopes), before: match.last)
    return match.isApproximate ? "GELU by tanh" : "GELU by erf"
  }

  /// x of x / √2 or x · √½.
  private func erfArgument(_ value: ValueID, _ context: MatchContext) -> ValueID? {
    if let node = context.producer(of: value, "Div"),
      context.isNear(context.operand(node, 1), 1.414_213_5)
    {
      return context.operand(node, 0)
    }
    return scaled(value, by: 0.707_106_8, context)
  }

  /// x of √(2/π) (x + 0.044715 x³).
  private func tanhArgument(_ value: ValueID, _ context: MatchContext) -> ValueID? {
    guard let inner = scaled(value, by: 0.797_884_6, context),
      let sum = context.producer(of: inner, "Add")
    else { return nil }
    for position in 0..<2 {
      guard let x = context.operand(sum, position),
        let cube = scaled(context.operand(sum, 1 - position), by: 0.044_715, context)
      else { continue }
      if let power = context.producer(of: cube, "Pow"),
        context.operand(power, 0) == x, context.number(context.operand(power, 1)) == 3
      {
        return x
      }
      if let product = context.producer(of: cube, "Mul"),
        let square = context.producer(of: context.partner(of: x, in: product), "Mul"),
        context.operand(square, 0) == x, context.operand(square, 1) == x
      {
        return x
      }
    }
    return nil
  }

  /// The other operand of a product with a certain number.
  private func scaled(
    _ value: ValueID?, by factor: Float, _ context: MatchContext
  ) -> ValueID? {
    guard let node = context.producer(of: value, "Mul") else { return nil }
    for position in 0..<2
    where context.isNear(context.operand(node, position), factor) {
      return context.operand(node, 1 - position)
    }
    return nil
  }

  /// Follows products with x, numbers and numbers times x; the last of them and the number.
  private func product(
    from value: ValueID, _ x: ValueID, _ context: MatchContext
  ) -> (last: NodeID, factor: Float)? {
    var (value, factor, hasX) = (value, Float(1), false)
    var last: NodeID?
    while !hasX || factor == 1 {
      guard let node = context.soleUser(value), context.graph[node].op == "Mul",
        let other = context.partner(of: value, in: node), let result = context.result(node)
      else { break }
      if let number = context.number(other) {
        factor *= number
      } else if other == x, !hasX {
        hasX = true
      } else if !hasX, let half = scaled(other, by: 0.5, context), half == x {
        (hasX, factor) = (true, factor * 0.5)
      } else {
        break
      }
      (value, last) = (result, node)
    }
    guard let last, hasX else { return nil }
    return (last, factor)
  }
}
