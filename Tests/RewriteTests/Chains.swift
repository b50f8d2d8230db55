import GraphIR
import Rewrite
import Tensors

/// Graphs that are a row of unary operators, and rules on them.
enum Chains {
  static let vector = ValueType.tensor(.float32, [4])

  /// `x` through the operators, the last result being the output.
  static func chain(_ ops: [OpKey]) -> Graph {
    var graph = Graph(name: "chain")
    var value = graph.addInput("x", type: vector)
    for (index, op) in ops.enumerated() {
      value = graph.emit(op, [value], name: Name("v\(index)"), type: vector)
    }
    graph.addOutput(value)
    return graph
  }

  /// The operators of the order.
  static func operators(_ graph: Graph) -> [OpKey] { graph.order.map { graph[$0].op } }
}

/// Removes two negations in a row.
struct DoubleNegation: RewriteRule {
  static let name = "double-negation"
  static let roots: Set<OpKey> = ["Neg"]

  struct Match {
    let first: NodeID
    let second: NodeID
    let operand: ValueID
    let result: ValueID
  }

  func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    let graph = context.graph
    guard let operand = graph[node].inputs[0], let first = context.producer(of: operand, "Neg")
    else { throw .notThisPattern }
    guard context.uses.users(of: operand) == [node], !context.uses.isOutput(operand) else {
      throw .declined("the inner negation has other readers")
    }
    guard let source = graph[first].inputs[0], let result = graph[node].outputs[0] else {
      throw .notThisPattern
    }
    return Match(first: first, second: node, operand: source, result: result)
  }

  func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    editor.remove(match.first)
    editor.remove(match.second)
    editor.redirect(match.result, to: match.operand)
    return "both removed"
  }
}

/// Writes `Neg(x)` as `Mul(x, -1)`, with a constant of its own.
struct NegationAsProduct: RewriteRule {
  static let name = "negation-as-product"
  static let roots: Set<OpKey> = ["Neg"]

  func match(
    _ node: NodeID, in context: MatchContext
  ) throws(MatchFailure) -> (node: NodeID, operand: ValueID, result: ValueID) {
    guard let operand = context.graph[node].inputs[0], let result = context.graph[node].outputs[0]
    else { throw .notThisPattern }
    return (node, operand, result)
  }

  func rewrite(
    _ match: (node: NodeID, operand: ValueID, result: ValueID), with editor: inout GraphEditor
  ) -> String {
    let factor = editor.addInitializer("minus_one", StoredTensor(Tensor([Float(-1)])))
    let product = editor.makeValue(like: "product", type: Chains.vector)
    editor.insert(
      Node("Mul", inputs: [match.operand, factor], outputs: [product]), before: match.node)
    editor.remove(match.node)
    editor.redirect(match.result, to: product)
    return "written as a product"
  }
}
