import GraphIR
import Interpreter
import Rewrite
import Tensors
import Testing

extension Graph {
  /// The graph after one rule, and what the rule reported.
  func applying(_ rule: some RewriteRule) throws -> (graph: Graph, report: PassReport) {
    var graph = self
    let reports = try PassPipeline([RulePass(rule)]).run(on: &graph)
    return (graph, try #require(reports.first))
  }

  /// The first output for some feeds.
  func result(_ feeds: [Name: Tensor]) throws -> Tensor {
    let engine = try Engine(self, options: EngineOptions(checksResultTypes: true))
    let name = try #require(engine.outputs.first).name
    return try #require(try engine.run(feeds)[name])
  }

  /// The operators of the order.
  var operators: [OpKey] { order.map { self[$0].op } }
}
