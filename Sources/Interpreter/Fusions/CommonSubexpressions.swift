import GraphIR
import Operators
import Rewrite
import Tensors

/// Nodes that apply the operator of an earlier one to the same operands give way to it.
///
/// Results that are not views and larger than `maximumByteCount` stay: kept until their second use,
/// they would cost more memory than they save time.
struct CommonSubexpressions: Pass {
  /// Bytes of a result that may be kept for longer.
  static let maximumByteCount = 1 << 20

  var name: String { "common-subexpressions" }

  /// What is computed: the same for nodes with the same results.
  private struct Expression: Hashable {
    let op: OpKey
    let inputs: [ValueID?]
    let attributes: [String]
    let resultCount: Int
  }

  func run(on graph: inout Graph, report: inout PassReport) {
    var earlier: [Expression: NodeID] = [:]
    var replacements: [ValueID: ValueID] = [:]
    var removed: Set<NodeID> = []
    for id in graph.order {
      let node = graph[id]
      guard let expression = expression(of: node, replacements) else { continue }
      guard let first = earlier[expression] else {
        earlier[expression] = id
        continue
      }
      let pairs = zip(node.outputs, graph[first].outputs)
      guard pairs.allSatisfy({ $0 == nil || $1 != nil }) else { continue }
      if let reason = reasonToKeep(node, in: graph) {
        report.decline(graph.label(of: id), reason)
        continue
      }
      for case (let value?, let twin?) in pairs { replacements[value] = twin }
      removed.insert(id)
      report.changed(graph.label(of: id), "computed before by \(graph.label(of: first))")
    }
    guard !removed.isEmpty else { return }
    graph.remove(removed)
    graph.mapUses { replacements[$0] ?? $0 }
  }

  /// The key of a node; nil for those with tensors or graphs inside.
  private func expression(
    of node: Node, _ replacements: [ValueID: ValueID]
  ) -> Expression? {
    guard node.cache == nil, !node.inputs.isEmpty else { return nil }
    var attributes: [String] = []
    for attribute in node.attributes {
      let text: String
      switch attribute.value {
      case .float(let number): text = "\(number.bitPattern)"
      case .floats(let numbers): text = "\(numbers.map(\.bitPattern))"
      case .int(let number): text = "\(number)"
      case .ints(let numbers): text = "\(numbers)"
      case .string(let bytes): text = "\(bytes)"
      case .strings(let words): text = "\(words)"
      case .tensor, .graph, .opaque: return nil
      }
      attributes.append("\(attribute.name) \(text)")
    }
    return Expression(
      op: node.op, inputs: node.inputs.map { $0.map { replacements[$0] ?? $0 } },
      attributes: attributes.sorted(), resultCount: node.outputs.count)
  }

  private func reasonToKeep(_ node: Node, in graph: Graph) -> String? {
    let results = node.outputs.compactMap { $0 }
    if results.contains(where: graph.outputs.contains) { return "the result is an output" }
    if PeakPrediction.views.contains(node.op) { return nil }
    for value in results {
      guard let type = graph.tensorType(of: value), let shape = type.concreteShape,
        let width = type.dataType?.byteCount,
        let byteCount = try? Checked.product(shape.elementCount, width)
      else { return "the size of the result is not known" }
      if byteCount > Self.maximumByteCount {
        return "the result, of \(byteCount) bytes, would be kept for longer"
      }
    }
    return nil
  }
}
