public import GraphIR
public import Rewrite
import Tensors

/// `com.microsoft.FusedMatMul` becomes `Transpose`, `MatMul` and `Mul`.
///
/// ONNX Runtime's optimiser writes `alpha · op(A) · op(B)` as one node; nobody else has it
/// (docs/ContribOperators.md of onnxruntime).
public struct FusedMatMulDecomposition: RewriteRule {
  /// `fused-matmul`.
  public static let name = "fused-matmul"
  /// `com.microsoft.FusedMatMul`.
  public static let roots: Set<OpKey> = [OpKey("FusedMatMul", domain: "com.microsoft")]

  /// A product with its scale and transpositions.
  public struct Match: Sendable {
    let node: NodeID
    let operands: [ValueID]
    let permutations: [[Int]?]
    let scale: Float
    let result: ValueID
    let type: DataType
  }

  /// The rule.
  public init() {}

  /// Matches a product whose operands have known ranks where they are transposed.
  public func match(_ node: NodeID, in context: MatchContext) throws(MatchFailure) -> Match {
    let graph = context.graph
    let facts = graph[node]
    let operands = facts.inputs.compactMap { $0 }
    guard operands.count == 2, let result = facts.outputs.first ?? nil else {
      throw .notThisPattern
    }
    func isSet(_ name: String) -> Bool {
      if case .int(let number)? = facts.attribute(name) { number != 0 } else { false }
    }
    guard !isSet("transBatchA"), !isSet("transBatchB") else {
      throw .declined("its batch axes are transposed")
    }
    var permutations: [[Int]?] = []
    for (operand, name) in zip(operands, ["transA", "transB"]) {
      guard isSet(name) else {
        permutations.append(nil)
        continue
      }
      guard let rank = graph.tensorType(of: operand)?.shape?.count else {
        throw .declined("the rank of '\(graph.name(of: operand))' is not known")
      }
      permutations.append(
        rank < 2 ? nil : Array(0..<(rank - 2)) + [rank - 1, rank - 2])
    }
    var scale: Float = 1
    if case .float(let alpha)? = facts.attribute("alpha") { scale = alpha }
    let type = operands.lazy.compactMap { graph.tensorType(of: $0)?.dataType }.first
    guard scale == 1 || type == .float32 else {
      throw .declined("a scale of element type \(type.map(\.description) ?? "?")")
    }
    return Match(
      node: node, operands: operands, permutations: permutations, scale: scale, result: result,
      type: type ?? .float32)
  }

  /// Writes standard operators.
  public func rewrite(_ match: Match, with editor: inout GraphEditor) -> String {
    let name = editor.name(of: match.result)
    let scopes = editor.original[match.node].scopes
    func insert(
      _ op: OpKey, _ inputs: [ValueID], _ output: ValueID, _ attributes: [Attribute] = []
    ) {
      editor.insert(
        Node(
          op, name: editor.name(of: output), inputs: inputs, outputs: [output],
          attributes: attributes, scopes: scopes), before: match.node)
    }
    var operands = match.operands
    for (position, permutation) in match.permutations.enumerated() {
      guard let permutation else { continue }
      let operand = operands[position]
      var type = editor.original.tensorType(of: operand) ?? TensorType(nil, nil)
      type.shape = type.shape.map { shape in permutation.map { shape[$0] } }
      let turned = editor.makeValue(
        like: name.derived(position == 0 ? "a" : "b"), type: .tensor(type))
      insert("Transpose", [operand], turned, [Attribute("perm", .ints(permutation))])
      operands[position] = turned
    }
    if match.scale == 1 {
      insert("MatMul", operands, match.result)
    } else {
      let product = editor.makeValue(
        like: name.derived("product"), type: editor.original.type(of: match.result))
      let scale = editor.addInitializer(
        name.derived("scale"), StoredTensor(Tensor([match.scale], shape: .scalar)))
      insert("MatMul", operands, product)
      insert("Mul", [product, scale], match.result)
    }
    editor.remove(match.node)
    return "written as standard operators"
  }
}
