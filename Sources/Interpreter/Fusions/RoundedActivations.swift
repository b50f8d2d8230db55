import GraphIR
import Operators
import Rewrite
import Tensors

/// Results that only products rounding their factors to bfloat16 read are written so at once.
///
/// Views and Concat pass them on, so what these connect changes its type as a whole. The numbers
/// multiplied are the same; half the memory is written and read.
struct RoundedActivations: Pass {
  var name: String { "rounded-activations" }

  /// Operators that round their result to what `to` says.
  private static let producers: Set<OpKey> = [
    .fused("FusedLinear"), .fused("FusedNormalization"), .fused("FusedRotary"),
    .fused("FusedAttention"), .fused("FusedElementwise"),
  ]

  func run(on graph: inout Graph, report: inout PassReport) {
    var groups = Groups(count: graph.valueCount)
    var refused = [String?](repeating: nil, count: graph.valueCount)
    for value in graph.inputs + graph.initializerOrder + graph.captures + graph.outputs {
      refused[Int(value.index)] = "an input, output or constant"
    }
    for id in graph.order {
      let node = graph[id]
      let passes = Self.passingOperands(node)
      for (position, value) in node.inputs.enumerated() {
        guard let value else { continue }
        if passes.contains(position) {
          for case let result? in node.outputs { groups.join(value, result) }
        } else if !Self.isRounded(position, of: node) {
          refused[Int(value.index)] = "read by \(graph.label(of: id))"
        }
      }
      for value in node.uses where !node.inputs.contains(value) {
        refused[Int(value.index)] = "read by \(graph.label(of: id))"
      }
      guard passes.isEmpty else { continue }
      for case let value? in node.outputs
      where !Self.producers.contains(node.op) || graph.tensorType(of: value)?.dataType != .float32 {
        refused[Int(value.index)] = "made by \(graph.label(of: id))"
      }
    }
    for (index, reason) in refused.enumerated() where reason != nil {
      groups.refuse(ValueID(index), reason)
    }
    for id in graph.order {
      let node = graph[id]
      guard let value = node.outputs.first ?? nil, let type = graph.tensorType(of: value)?.dataType
      else { continue }
      let reason = groups.reason(against: value)
      if reason == nil, type == .float32, !Self.passingOperands(node).isEmpty {
        for case let result? in node.outputs { graph.setRounded(result) }
      }
      guard Self.producers.contains(node.op) else { continue }
      if let reason {
        report.decline(graph.label(of: id), reason)
        graph.setResultType(type, of: id)
      } else {
        graph.setRounded(value)
        graph.setResultType(.bfloat16, of: id)
        report.changed(graph.label(of: id), "rounds for the products that read it")
      }
    }
  }

  /// Operands whose elements a node passes on as they are.
  private static func passingOperands(_ node: Node) -> Range<Int> {
    if node.op == "Concat" { return 0..<node.inputs.count }
    return PeakPrediction.views.contains(node.op) && !node.inputs.isEmpty ? 0..<1 : 0..<0
  }

  /// True for operands that a node rounds to bfloat16 before anything else.
  private static func isRounded(_ position: Int, of node: Node) -> Bool {
    guard case .string(let word)? = node.attribute("precision"),
      word == Array(MatrixPrecision.bfloat16.rawValue.utf8)
    else { return false }
    switch node.op {
    case .fused("FusedLinear"): return position == 0
    case .fused("FusedAttention"): return position < 3
    default: return false
    }
  }
}

/// Values whose types change together, and why some must not.
private struct Groups {
  private var parents: [Int]
  private var reasons: [Int: String] = [:]

  init(count: Int) {
    parents = Array(0..<count)
  }

  mutating func join(_ a: ValueID, _ b: ValueID) {
    parents[root(b)] = root(a)
  }

  mutating func refuse(_ value: ValueID, _ reason: String?) {
    reasons[root(value)] = reason
  }

  mutating func reason(against value: ValueID) -> String? { reasons[root(value)] }

  private mutating func root(_ value: ValueID) -> Int {
    var index = Int(value.index)
    while parents[index] != index {
      parents[index] = parents[parents[index]]
      index = parents[index]
    }
    return index
  }
}

extension Graph {
  /// Makes the type of a fused operator's result independent of that of its operands.
  fileprivate mutating func setResultType(_ type: DataType, of id: NodeID) {
    var node = self[id]
    node.attributes.removeAll { $0.name == "to" }
    node.attributes.append(Attribute("to", .int(Int(type.rawValue))))
    replace(id, with: node)
  }

  /// Makes the type of a value the same of `bfloat16`.
  fileprivate mutating func setRounded(_ value: ValueID) {
    guard let type = tensorType(of: value) else { return }
    setType(.tensor(.bfloat16, type.shape), of: value)
  }
}
