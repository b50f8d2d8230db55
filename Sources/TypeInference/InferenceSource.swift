package import GraphIR
package import Operators
package import Tensors

/// Where inference gets the operators and constants of one graph from.
package protocol InferenceSource: Sendable {
  /// The operator of a node.
  func makeOperator(_ node: NodeID, of graph: Graph) throws(OperatorError) -> any Operator

  /// The elements of a constant.
  func load(_ value: ValueID, of graph: Graph) throws -> Tensor?

  /// A result that is known to be the same whatever the inputs are.
  func knownResult(_ value: ValueID) -> Tensor?

  /// The source for a graph inside a node.
  func source(for subgraph: SubgraphKey) -> any InferenceSource
}

/// Makes every operator anew and reads constants from where the graph keeps them.
struct TableSource: InferenceSource {
  let table: OperatorTable

  func makeOperator(_ node: NodeID, of graph: Graph) throws(OperatorError) -> any Operator {
    try table.make(graph[node], in: graph)
  }

  func load(_ value: ValueID, of graph: Graph) throws -> Tensor? {
    try graph.initializers[value]?.load()
  }

  func knownResult(_ value: ValueID) -> Tensor? { nil }

  func source(for subgraph: SubgraphKey) -> any InferenceSource { self }
}
