import GraphIR
import Operators
import Tensors
import Testing

@Suite struct FusedElementwiseTests {
  private static let table = OperatorTable.standard.adding(OperatorTable.fusedTypes)

  private func make(
    _ attributes: [Attribute], inputs: Int = 2
  ) throws(OperatorError) -> any Operator {
    var graph = Graph(opsets: ["": 20])
    let operands = (0..<inputs).map { _ in graph.addInput("x", type: .unknown) }
    let result = graph.makeValue("y")
    let node = Node(
      .fused("FusedElementwise"), inputs: operands, outputs: [result], attributes: attributes)
    return try Self.table.make(node, in: graph)
  }

  @Test func theResultHasTheShapeThatOperandsBroadcastToAndTheTypeAskedFor() throws {
    let steps = [
      ElementwiseStep("multiply", reading: [0, 1], as: .float16),
      ElementwiseStep(ElementwiseStep.identity, reading: [2], as: .float16),
      ElementwiseStep("silu", reading: [3], as: .float32),
    ]
    let made = try make(steps.attributes(to: .bfloat16))
    let a = Tensor([Float(1), 2, 3], shape: try Shape([3, 1]))
    let b = Tensor([Float(1), 2, 3, 4], shape: try Shape([4]))
    var graph = Graph()
    let x = graph.addInput("x", type: .unknown)
    let runner = GraphRunner(graph: graph, node: Node("Neg", inputs: [x], outputs: []))
    let facts = try made.infer([ValueFact(constant: a), ValueFact(constant: b)], runner)
    #expect(facts[0].type == .tensor(.bfloat16, [3, 4]))
    let result = try made.run([.tensor(a), .tensor(b)], runner)[0].tensor()
    #expect(result.dataType == .bfloat16 && result.shape.dimensions == [3, 4])
    #expect(throws: OperatorError.self) {
      _ = try made.infer([ValueFact(.int64, [3]), ValueFact(.float32, [3])], runner)
    }
    #expect(throws: OperatorError.self) {
      _ = try made.run([.tensor(b), .tensor(Tensor([Float(1), 2]))], runner)
    }
  }

  /// Attributes that say nothing, or nothing that can be done.
  private static let hostile: [(String, [Attribute])] = [
    ("no steps", []),
    (
      "another function",
      [ElementwiseStep("halve", reading: [0], as: .float32)].attributes(to: .float32)
    ),
    (
      "a value that is not there",
      [ElementwiseStep("add", reading: [0, 2], as: .float32)].attributes(to: .float32)
    ),
    (
      "a negative number",
      [ElementwiseStep("negate", reading: [.min], as: .float32)].attributes(to: .float32)
    ),
    (
      "too few reads",
      [ElementwiseStep("add", reading: [0], as: .float32)].attributes(to: .float32)
    ),
    (
      "too many reads",
      [ElementwiseStep("add", reading: [0, 1, 1], as: .float32)].attributes(to: .float32)
    ),
    (
      "a step of integers",
      [ElementwiseStep("add", reading: [0, 1], as: .int64)].attributes(to: .float32)
    ),
    (
      "a result of integers",
      [ElementwiseStep("add", reading: [0, 1], as: .float32)].attributes(to: .int64)
    ),
    (
      "types of no step",
      [
        Attribute("functions", .strings([Array("negate".utf8)])), Attribute("reads", .ints([0])),
        Attribute("types", .ints([])),
      ]
    ),
    (
      "types that are none",
      [
        Attribute("functions", .strings([Array("negate".utf8)])), Attribute("reads", .ints([0])),
        Attribute("types", .ints([.max])),
      ]
    ),
    ("functions that are a number", [Attribute("functions", .int(3))]),
  ]

  @Test(arguments: hostile.indices) func impossibleStepsAreErrors(number: Int) {
    let (what, attributes) = Self.hostile[number]
    #expect(throws: OperatorError.self, "\(what)") { _ = try make(attributes) }
  }

  @Test func anOperatorSaysWhichFunctionItIs() throws {
    func function(
      _ op: OpKey, inputs: Int, _ attributes: [Attribute] = [], opset: Int = 20
    ) -> ElementwiseFunction? {
      var graph = Graph(opsets: ["": opset, "com.microsoft": 1])
      let operands = (0..<inputs).map { _ in graph.addInput("x", type: .unknown) }
      let node = Node(
        op, inputs: operands, outputs: [graph.makeValue("y")], attributes: attributes)
      return OperatorTable.standard.elementwiseFunction(of: node, in: graph)
    }
    #expect(function("Sigmoid", inputs: 1) == .unary("sigmoid"))
    #expect(
      function("Gelu", inputs: 1, [Attribute("approximate", .text("tanh"))]) == .unary("geluTanh"))
    #expect(function("Sum", inputs: 4) == .binary("add"))
    #expect(function("Pow", inputs: 2) == .binary("power"))
    #expect(function("Cast", inputs: 1, [Attribute("to", .int(10))]) == .conversion(.float16))
    let quick = OpKey("QuickGelu", domain: "com.microsoft")
    #expect(function(quick, inputs: 1, [Attribute("alpha", .float(1))]) == .unary("silu"))
    #expect(function(quick, inputs: 1) == nil)
    #expect(function("Softmax", inputs: 1) == nil)
    #expect(function("Sigmoid", inputs: 2) == nil)
  }
}
