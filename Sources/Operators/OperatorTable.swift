public import GraphIR
public import Tensors

/// The operators that are implemented.
public struct OperatorTable: Sendable {
  private let types: [OpKey: any Operator.Type]

  /// A table of operators; a later entry for the same key replaces an earlier one.
  public init(_ types: [any Operator.Type]) {
    self.types = Dictionary(types.map { ($0.key, $0) }) { _, last in last }
  }

  /// This table with more operators; those given replace others of the same key.
  public func adding(_ types: [any Operator.Type]) -> OperatorTable {
    OperatorTable(Array(self.types.values) + types)
  }

  /// The type of operator that applies to nodes of a key, or nil.
  func type(of key: OpKey) -> (any Operator.Type)? { types[key] }

  /// The operator of a node, its attributes read and checked.
  public func make(_ node: Node, in graph: Graph) throws(OperatorError) -> any Operator {
    guard let type = types[node.op] else {
      throw .unsupported("operator \(node.op) is not implemented")
    }
    let opset = graph.opsets[node.op.domain] ?? 1
    guard type.versions.contains(opset) else {
      throw .unsupported(
        "operator \(node.op) is implemented for opsets \(type.versions.lowerBound) to "
          + "\(type.versions.upperBound), the model imports \(opset)")
    }
    var reader = NodeReader(node, opset: opset)
    let result = try type.init(&reader)
    try reader.finish()
    return result
  }

  /// The keys of all operators, sorted.
  public var keys: [OpKey] {
    types.keys.sorted { $0.description < $1.description }
  }

  /// Checks every node of a graph and its subgraphs, and reports all that cannot run at once.
  public func requireSupport(of graph: Graph) throws(UnsupportedOperators) {
    var problems: [String: Int] = [:]
    graph.forEachGraph { graph in
      for id in graph.order {
        do throws(OperatorError) {
          _ = try make(graph[id], in: graph)
        } catch {
          let text = "\(graph[id].op): \(error.message)"
          problems[text, default: 0] += 1
        }
      }
    }
    guard problems.isEmpty else { throw UnsupportedOperators(problems: problems) }
  }
}

/// Everything in a model that cannot run, found in one sweep.
public struct UnsupportedOperators: ReportedError {
  /// Sentences, each with the number of nodes it concerns.
  public let problems: [String: Int]

  /// Always `unsupported-operators`.
  public var code: String { "unsupported-operators" }
  /// Empty: the message names the operators.
  public var place: String { "" }
  /// All problems, one a line.
  public var message: String {
    let lines = problems.sorted { $0.key < $1.key }.map { "\n  \($0.key) (\($0.value) nodes)" }
    return "the model cannot run here:" + lines.joined()
  }
  /// None.
  public var hint: String? { nil }
  /// Unsupported.
  public var category: FailureCategory { .unsupported }
}
