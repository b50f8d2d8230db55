import GraphIR
import Operators
import Rewrite
import Tensors
import TypeInference

/// The rewrite rules that make a graph faster to run here, applied to it and the graphs inside it.
///
/// Graphs inside nodes are borders that no rule crosses, so what stands in a branch of a cached
/// model is fused as it is in the original.
struct Fusions {
  private let precision: MatrixPrecision
  private let operators: OperatorTable
  /// The reports of all rules, those of graphs inside nodes too.
  private(set) var reports: [PassReport] = []

  /// Rules that compute products with a precision, and know elementwise operators by a table.
  init(precision: MatrixPrecision, operators: OperatorTable) {
    self.precision = precision
    self.operators = operators
  }

  /// Fuses a graph whose sizes are known.
  mutating func run(on graph: Graph, _ facts: GraphFacts) throws(OperatorError) -> Graph {
    var graph = graph
    for id in graph.order where !graph[id].subgraphs.isEmpty {
      var node = graph[id]
      for position in node.attributes.indices {
        guard case .graph(var subgraph) = node.attributes[position].value,
          case .success(let inner)? =
            facts.subgraphs[SubgraphKey(id, node.attributes[position].name)]
        else { continue }
        subgraph.graph = try run(on: subgraph.graph, inner)
        node.attributes[position].value = .graph(subgraph)
      }
      graph.replace(id, with: node)
    }
    for (index, fact) in facts.values.enumerated() {
      if let fact { graph.setType(fact.type, of: ValueID(index)) }
    }
    do throws(PassFailure) {
      reports += try PassPipeline(passes { facts.values[safe: Int($0.index)]?.constant })
        .run(on: &graph)
    } catch {
      throw OperatorError(
        error.code, "\(error.place): \(error.message)", category: .internalFault)
    }
    return graph
  }

  /// The rules in the order they are applied.
  private func passes(
    _ constant: @escaping @Sendable (ValueID) -> Tensor?
  ) -> [any Pass] {
    [
      DeadCode(),
      RulePass(NoOperation(), constant: constant),
      CommonSubexpressions(),
      RulePass(RejoinedSlices(), constant: constant), DeadCode(),
      RulePass(AttentionFusion(precision: precision), constant: constant),
      RulePass(AttentionOperator(precision: precision), constant: constant), DeadCode(),
      RulePass(ScatteredRotaryFusion(), constant: constant),
      RulePass(RotaryFusion(), constant: constant), DeadCode(),
      RulePass(RMSNormFusion(), constant: constant),
      RulePass(GeluFusion(), constant: constant), DeadCode(),
      RulePass(ModulationFusion(), constant: constant),
      RulePass(LinearFusion(precision: precision), constant: constant), DeadCode(),
      ElementwiseFusion(operators: operators, constant: constant),
    ] + (precision == .bfloat16 && ComputeThreads.multipliesBFloat16 ? [RoundedActivations()] : [])
      + [SharedInput()]
  }
}

extension [ValueFact?] {
  /// The fact at a position, nil beyond the end: of a value that a rule made.
  fileprivate subscript(safe position: Int) -> ValueFact? {
    position < count ? self[position] : nil
  }
}
