public import GraphIR
public import Rewrite
import Tensors

/// Reports divisions by sums that can be zero; nothing is changed.
///
/// The dynamo exporter's optimiser treats `x + c` as `x` for every |c| ≤ 1e-8 (onnxscript's
/// absolute tolerance), so the `+ 1e-15` that guards a division is deleted and 0/0 becomes NaN, as
/// in linear attention whose denominator is a sum of `relu`. What was there cannot be known.
public struct DeletedEpsilon: Pass {
  /// `deleted-epsilon`.
  public let name = "deleted-epsilon"

  /// The pass.
  public init() {}

  /// Warns of each division by, and reciprocal of, a bare norm or a bare sum of such numbers.
  ///
  /// Sums of masks are left out: code that divides by them has no epsilon as a rule.
  public func run(on graph: inout Graph, report: inout PassReport) throws {
    for id in graph.order {
      guard let denominator = Self.denominator(of: graph[id]),
        let sum = Self.bareSum(denominator, in: graph)
      else { continue }
      report.warn(
        graph.label(of: id),
        "divides by the sum '\(graph.name(of: sum))', which can be zero, with nothing added to it. "
          + "If the PyTorch code adds an epsilon below 1e-8, the exporter deleted it: export with "
          + "optimize=False")
    }
  }

  private static let sums: Set<OpKey> = [
    "ReduceL1", "ReduceL2", "ReduceMean", "ReduceSum", "ReduceSumSquare",
  ]
  private static let products: Set<OpKey> = ["MatMul", "Einsum"]
  private static let views: Set<OpKey> = [
    "Cast", "Expand", "Gather", "Identity", "Reshape", "Slice", "Split", "Sqrt", "Squeeze",
    "Transpose", "Unsqueeze",
  ]
  /// What PyTorch code sums with an epsilon: numbers that are not negative but may all be zero.
  private static let mayBeZero: Set<OpKey> = ["Abs", "Clip", "Max", "Mul", "Pow", "Relu"]

  private static func denominator(of node: Node) -> ValueID? {
    switch node.op {
    case "Div": node.inputs.count == 2 ? node.inputs[1] : nil
    case "Reciprocal": node.inputs.first ?? nil
    default: nil
    }
  }

  /// The sum behind a value, through operators that neither add nor scale.
  private static func bareSum(_ value: ValueID, in graph: Graph) -> ValueID? {
    var value = value
    while let node = graph.producer(of: value) {
      let facts = graph[node]
      guard let operand = facts.inputs.first ?? nil else { return nil }
      if sums.contains(facts.op) {
        let isNorm = facts.op != "ReduceSum" && facts.op != "ReduceMean"
        return isNorm || comes(operand, from: mayBeZero, in: graph) ? value : nil
      }
      if products.contains(facts.op) {
        let isOfRelu = facts.inputs.contains { operand in
          operand.map { comes($0, from: ["Relu"], in: graph) } ?? false
        }
        return isOfRelu ? value : nil
      }
      guard views.contains(facts.op) else { return nil }
      value = operand
    }
    return nil
  }

  private static func comes(_ value: ValueID, from ops: Set<OpKey>, in graph: Graph) -> Bool {
    var value = value
    while let node = graph.producer(of: value) {
      let facts = graph[node]
      if ops.contains(facts.op) { return true }
      guard views.contains(facts.op), facts.op != "Sqrt", let operand = facts.inputs.first ?? nil
      else { return false }
      value = operand
    }
    return false
  }
}
