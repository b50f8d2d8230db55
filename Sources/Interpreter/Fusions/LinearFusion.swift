import GraphIR
import Operators
import Rewrite
import Tensors

/// A matrix product and the bias, activation, gate and residual behind it become `FusedLinear`.
///
/// With a precision other than `float32` products without anything behind them do, too.
struct LinearFusion: RewriteRule {
  static let name = "fused-linear"
  static let roots: Set<OpKey> = ["MatMul"]

  let precision: MatrixPrecision

  struct Match: Sendable {
    let product: NodeID
    var nodes: [NodeID]
    var bias: ValueID?
    var activation: String?
    var factor: ValueID?
    var addend: ValueID?
  }

  func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    guard var value = context.result(node), let weight = context.shape(context.operand(node, 1)),
      weight.count == 2, let shape = context.shape(value), shape.count >= 2
    else { throw .notThisPattern }
    guard context.dataType(value) == .float32 else {
      throw .declined("the product is \(context.dataType(value)?.description ?? "unknown")")
    }
    var match = Match(product: node, nodes: [node])
    while let next = context.soleUser(value), context.result(next) != nil,
      extend(&match, by: next, value, shape, context), let result = context.result(next)
    {
      match.nodes.append(next)
      value = result
    }
    guard match.nodes.count > 1 || precision != .float32 else {
      if context.soleUser(value) == nil, let user = context.uses.users(of: value).first,
        context.graph[user].op == "Add"
      {
        throw .declined("the product is read by several nodes")
      }
      throw .notThisPattern
    }
    return match
  }

  func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let graph = editor.original
    let operands = graph[match.product].inputs
    let last = match.nodes[match.nodes.count - 1]
    var attributes: [Attribute] = []
    if let activation = match.activation {
      attributes.append(Attribute("activation", .text(activation)))
    }
    if precision != .float32 {
      attributes.append(Attribute("precision", .text(precision.rawValue)))
    }
    for node in match.nodes { editor.remove(node) }
    editor.insert(
      Node(
        .fused("FusedLinear"), name: graph[match.product].name,
        inputs: [operands[0], operands[1], match.bias, match.factor, match.addend],
        outputs: [graph[last].outputs[0]], attributes: attributes,
        scopes: graph[last].scopes), before: last)
    let parts = [
      match.bias.map { _ in "bias" }, match.activation, match.factor.map { _ in "factor" },
      match.addend.map { _ in "addend" },
    ].compactMap { $0 }
    return "a product" + (parts.isEmpty ? "" : " with \(parts.joined(separator: ", "))")
  }

  /// Takes one more node in; false when it does not follow in the order of an epilogue.
  private func extend(
    _ match: inout Match, by node: NodeID, _ value: ValueID, _ shape: [Int],
    _ context: MatchContext
  ) -> Bool {
    guard match.addend == nil, context.shape(context.result(node)) == shape else { return false }
    switch context.graph[node].op {
    case "Add":
      guard let other = context.partner(of: value, in: node), let own = context.shape(other),
        context.dataType(other) == .float32
      else { return false }
      let isRow = own.last == shape.last && own.dropLast().allSatisfy { $0 == 1 }
      if isRow, match.bias == nil, match.activation == nil, match.factor == nil {
        match.bias = other
        return true
      }
      guard own == shape else { return false }
      match.addend = other
      return true
    case "Gelu", OpKey("Gelu", domain: "com.microsoft"):
      guard match.activation == nil, match.factor == nil else { return false }
      guard case .string(let word)? = context.graph[node].attribute("approximate") else {
        match.activation = "gelu"
        return true
      }
      match.activation = word == Array("tanh".utf8) ? "gelu_tanh" : "gelu"
      return true
    case OpKey("FastGelu", domain: "com.microsoft"):
      guard match.activation == nil, match.factor == nil, context.operand(node, 1) == nil else {
        return false
      }
      match.activation = "gelu_tanh"
      return true
    case "Mul":
      guard match.factor == nil, let other = context.partner(of: value, in: node),
        let own = context.shape(other), own.last == shape.last, Shape.broadcasts(own, to: shape),
        context.dataType(other) == .float32
      else { return false }
      match.factor = other
      return true
    default: return false
    }
  }
}
