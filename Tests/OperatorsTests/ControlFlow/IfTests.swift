import GraphIR
import Operators
import Tensors
import Testing

@Suite struct IfTests {
  @Test func theChosenBranchRunsOnCapturedValues() throws {
    let graph = makeGraph(then: "Neg", otherwise: "Exp")
    let x = try Tensor.of([1, 0] as [Float], 2)
    for (condition, expected) in [(true, [-1, 0]), (false, [2.7182817, 1])] as [(Bool, [Float])] {
      let results = try GraphRunner.run(
        graph, arguments: [.tensor(try Tensor.of([condition])), .tensor(x)])
      expectClose(try #require(results.first).tensor(), expected)
    }
  }

  @Test func theOtherBranchDoesNotRun() throws {
    var graph = makeGraph(then: "Neg", otherwise: "Exp")
    let numbers = try Tensor.of([5] as [Int64], 1)
    let arguments: [RuntimeValue] = [.tensor(try Tensor.of([true])), .tensor(numbers)]
    let results = try GraphRunner.run(graph, arguments: arguments)
    #expect(try #require(results.first).tensor().integers() == [-5])
    graph = makeGraph(then: "Exp", otherwise: "Neg")
    #expect(throws: OperatorError.self) { try GraphRunner.run(graph, arguments: arguments) }
  }

  @Test func typesOfBothBranchesAreMerged() throws {
    let size = Dimension(symbol: "s")
    let fact = ValueFact(.float32, [size, 3])
    let same = try GraphRunner.infer(
      makeGraph(then: "Neg", otherwise: "Exp"), arguments: [ValueFact(.bool, []), fact])
    #expect(same[0].shape == [size, 3])
    let graph = makeGraph(then: "Neg", otherwise: "ReduceSum")
    let merged = try GraphRunner.infer(graph, arguments: [ValueFact(.bool, []), fact])
    let shape = try #require(merged[0].shape)
    #expect(shape.count == 2)
    #expect(shape[0] != size && shape[0].value == nil)
    #expect(merged[0].dataType == .float32)
  }

  @Test func ofDifferentRanksNothingRemains() throws {
    let graph = makeGraph(
      then: "Neg", otherwise: "ReduceSum", [Attribute("keepdims", .int(0))])
    let merged = try GraphRunner.infer(
      graph, arguments: [ValueFact(.bool, []), ValueFact(.float32, [2, 3])])
    #expect(merged[0].shape == nil)
    #expect(merged[0].dataType == .float32)
  }

  @Test func aKnownConditionTypesOneBranchOnly() throws {
    let graph = makeGraph(then: "Neg", otherwise: "ReduceSum")
    let known = ValueFact(constant: try Tensor.of([true]))
    let fact = try GraphRunner.infer(graph, arguments: [known, ValueFact(.float32, [2, 3])])
    #expect(fact[0].shape == [2, 3])
  }

  @Test func branchesOfDifferentTypesAreRefused() throws {
    let graph = makeGraph(then: "Neg", otherwise: "IsNaN")
    #expect(throws: OperatorError.self) {
      try GraphRunner.infer(graph, arguments: [ValueFact(.bool, []), ValueFact(.float32, [2])])
    }
  }

  @Test func whatIsNotKnownIsRefused() throws {
    let attributes = [
      Attribute("then_branch", .graph(branch("Neg"))),
      Attribute("else_branch", .graph(branch("Exp"))),
    ]
    try expectStrictness("If", [ValueFact(.bool, [])], attributes)
    let one = [ValueFact(.bool, [])]
    #expect(OperatorHarness.refusal("If", one, [attributes[0]])?.code == "bad-operands")
    #expect(OperatorHarness.refusal("If", one, attributes, outputCount: 2)?.code == "bad-operands")
    for condition in [ValueFact(.float32, []), ValueFact(.bool, [2])] {
      #expect(OperatorHarness.refusal("If", [condition], attributes)?.code == "bad-operands")
    }
  }

  /// `If(condition) then(x) else otherwise(x)`.
  private func makeGraph(
    then: OpKey, otherwise: OpKey, _ attributes: [Attribute] = []
  ) -> Graph {
    var graph = Graph()
    let condition = graph.addInput("condition", type: .unknown)
    let x = graph.addInput("x", type: .unknown)
    let result = graph.emit(
      "If", [condition],
      [
        Attribute("then_branch", .graph(branch(then, of: x))),
        Attribute("else_branch", .graph(branch(otherwise, attributes, of: x))),
      ])
    graph.addOutput(result)
    return graph
  }

  /// A graph that applies an operator to a captured value, or to a constant when there is none.
  private func branch(
    _ op: OpKey, _ attributes: [Attribute] = [], of outer: ValueID? = nil
  ) -> Subgraph {
    var graph = Graph()
    let x =
      outer == nil
      ? graph.constant([1] as [Float], shape: .vector(1)) : graph.addCapture("x", type: .unknown)
    graph.addOutput(graph.emit(op, [x], attributes))
    return Subgraph(graph: graph, captures: outer.map { [$0] } ?? [])
  }
}
