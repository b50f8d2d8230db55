public import GraphIR
public import Operators
public import Rewrite
public import Tensors

/// Fills the facts of a graph: the type of every value and the cost of every node.
///
/// Symbols of the inputs flow through the graph; what the file declares fills what operators
/// leave open. A contradiction between both, or an operator that is not implemented, is a remark
/// in the report (its results keep their declared types), so that models that cannot run can
/// still be looked at and rewritten. Graphs inside nodes are filled too.
public struct InferTypes: Pass {
  private let operators: OperatorTable
  private let bindings: [String: Int]
  private let inputShapes: [ValueID: Shape]

  /// Inference with some sizes fixed.
  ///
  /// A key of `bindings` is a symbol such as `s25`, or an axis of an input such as
  /// `hidden_states.2`; `inputShapes` fixes whole inputs.
  public init(
    operators: OperatorTable = .standard, bindings: [String: Int] = [:],
    inputShapes: [ValueID: Shape] = [:]
  ) {
    self.operators = operators
    self.bindings = bindings
    self.inputShapes = inputShapes
  }

  /// `infer-types`.
  public var name: String { "infer-types" }

  /// Fills the facts; throws `DimensionError` when the fixed sizes do not fit the model.
  public func run(on graph: inout Graph, report: inout PassReport) throws {
    let facts = try facts(of: graph)
    graph.fill(with: facts)
    for remark in facts.remarks.told { report.decline(remark.place, remark.message) }
  }

  /// The sizes of the main graph that inference takes to be equal because they meet in an operator.
  ///
  /// Sizes that depend on data are left out.
  public func assumptions(of graph: Graph) throws -> [SizeAssumption] {
    let symbols = graph.inputSymbols
    return try facts(of: graph).assumptions.filter {
      ($0.first.symbols + $0.second.symbols).allSatisfy(symbols.contains)
    }
  }

  private func facts(of graph: Graph) throws -> GraphFacts {
    let fixed = try FixedInputs(graph, bindings: bindings, inputShapes: inputShapes)
    return try FactInference.facts(
      of: graph, arguments: fixed.arguments, source: TableSource(table: operators),
      options: .init(.lenient, sizes: fixed.sizes, symbols: graph.inputSymbols))
  }
}

extension Graph {
  /// The symbols that the declared types of the inputs use.
  var inputSymbols: Set<String> {
    Set(inputs.flatMap { tensorType(of: $0)?.shape ?? [] }.flatMap(\.symbols))
  }

  /// Writes facts into the values and nodes, those of graphs inside nodes too.
  fileprivate mutating func fill(with facts: GraphFacts) {
    for (index, fact) in facts.values.enumerated() {
      if let fact { setType(fact.type, of: ValueID(index)) }
    }
    for id in order { setFlops(facts.flops[Int(id.index)], of: id) }
    for owner in Set(facts.subgraphs.keys.map(\.node)) {
      var node = self[owner]
      for position in node.attributes.indices {
        guard case .graph(var subgraph) = node.attributes[position].value,
          case .success(let inner)? =
            facts.subgraphs[SubgraphKey(owner, node.attributes[position].name)]
        else { continue }
        subgraph.graph.fill(with: inner)
        node.attributes[position].value = .graph(subgraph)
      }
      if case .success(let inner)? = facts.subgraphs[SubgraphKey(owner, "body")] {
        node.cache?.body.graph.fill(with: inner)
      }
      if case .success(let inner)? = facts.subgraphs[SubgraphKey(owner, "reuse")] {
        node.cache?.reuse.graph.fill(with: inner)
      }
      replace(owner, with: node)
    }
  }
}
