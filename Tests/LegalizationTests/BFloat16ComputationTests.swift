import GraphIR
import Interpreter
import Legalization
import Rewrite
import Tensors
import Testing
import TypeInference

@Suite("Computation in bfloat16") struct BFloat16ComputationTests {
  private static let toBFloat16 = [Attribute("to", .int(Int(DataType.bfloat16.rawValue)))]
  private static let toFloat32 = [Attribute("to", .int(Int(DataType.float32.rawValue)))]

  /// x · w in bfloat16, with movers before and after; `x` and the result are of the caller's.
  private func product() throws -> Graph {
    var graph = Graph(name: "product", opsets: ["": 20])
    let x = graph.addInput("x", type: .tensor(.bfloat16, [2, 2]))
    let bits: [UInt16] = [0x3F80, 0x4000, 0x4040, 0x4080]
    let weight = try Tensor(uninitialized: .bfloat16, Shape([2, 2]))
    weight.base.copyMemory(from: bits, byteCount: 8)
    let w = graph.addInitializer("w", StoredTensor(weight))
    let turned = graph.emit("Transpose", [x], [Attribute("perm", .ints([1, 0]))], name: "turned")
    let product = graph.emit("MatMul", [turned, w], name: "product")
    graph.addOutput(graph.emit("Identity", [product], name: "y"))
    _ = try PassPipeline([InferTypes()]).run(on: &graph)
    return graph
  }

  @Test("what computes is float32; inputs, outputs and weights stay bfloat16")
  func types() throws {
    var graph = try product()
    let reports = try PassPipeline([BFloat16Computation()]).run(on: &graph)
    #expect(reports[0].changes.count == 1)
    #expect(
      graph.operators == ["Cast", "Transpose", "Cast", "MatMul", "Identity", "Cast"])
    let types = ["x", "w", "turned", "product", "y"].map { name in
      graph.value(named: Name(name)).flatMap { graph.tensorType(of: $0)?.dataType }
    }
    #expect(types == [.bfloat16, .bfloat16, .float32, .float32, .bfloat16])
    var inferred = graph
    let inference = try PassPipeline([InferTypes()]).run(on: &inferred)
    #expect(inference[0].declined.isEmpty, "what the pass declares contradicts nothing")
  }

  @Test("the product is the same, rounded once")
  func numbers() throws {
    var graph = try product()
    _ = try PassPipeline([BFloat16Computation()]).run(on: &graph)
    let engine = try Engine(graph)
    let x = Tensor([Float(1), 2, 3, 4], shape: try Shape([2, 2]))
    let y = try #require(try engine.run(engine.converted(["x": x]))["y"])
    #expect(y.dataType == .bfloat16)
    #expect(try y.asFloat32().elements(as: Float.self) == [10, 14, 14, 20])
  }

  @Test("rounding through bfloat16 in a float32 model stays")
  func rounding() throws {
    var graph = Graph(name: "rounding", opsets: ["": 20])
    let x = graph.addInput("x", type: .tensor(.float32, [2]))
    let narrow = graph.emit("Cast", [x], Self.toBFloat16, name: "narrow")
    let moved = graph.emit("Identity", [narrow], name: "moved")
    let wide = graph.emit("Cast", [moved], Self.toFloat32, name: "wide")
    graph.addOutput(graph.emit("Sin", [wide], name: "y"))
    _ = try PassPipeline([InferTypes()]).run(on: &graph)
    let before = graph.text()
    let reports = try PassPipeline([BFloat16Computation()]).run(on: &graph)
    #expect(graph.text() == before && reports[0].changes.isEmpty)
  }

  @Test("casts on the border of what computes are redirected, not repeated")
  func borders() throws {
    var graph = Graph(name: "borders", opsets: ["": 20])
    let x = graph.addInput("x", type: .tensor(.float32, [2]))
    let narrow = graph.emit("Cast", [x], Self.toBFloat16, name: "narrow")
    let doubled = graph.emit("Add", [narrow, narrow], name: "doubled")
    let wide = graph.emit("Cast", [doubled], Self.toFloat32, name: "wide")
    graph.addOutput(graph.emit("Neg", [wide], name: "y"))
    graph.addOutput(narrow)
    _ = try PassPipeline([InferTypes()]).run(on: &graph)
    _ = try PassPipeline([BFloat16Computation(), RulePass(RedundantCast())]).run(on: &graph)
    #expect(graph.operators == ["Cast", "Cast", "Add", "Neg"])
    #expect(graph.tensorType(of: graph.outputs[1])?.dataType == .bfloat16)
  }

  @Test("a graph inside a node goes on reading bfloat16")
  func captures() throws {
    var graph = Graph(name: "captures", opsets: ["": 20])
    let x = graph.addInput("x", type: .tensor(.bfloat16, [2]))
    let condition = graph.addInput("condition", type: .tensor(.bool, []))
    let doubled = graph.emit("Add", [x, x], name: "doubled", type: .tensor(.bfloat16, [2]))
    func branch(_ name: Name) -> Subgraph {
      var inner = Graph(name: name, opsets: ["": 20])
      let captured = inner.addCapture("doubled", type: .tensor(.bfloat16, [2]))
      inner.addOutput(
        inner.emit("Identity", [captured], name: name, type: .tensor(.bfloat16, [2])))
      return Subgraph(graph: inner, captures: [doubled])
    }
    graph.addOutput(
      graph.emit(
        "If", [condition],
        [
          Attribute("then_branch", .graph(branch("a"))),
          Attribute("else_branch", .graph(branch("b"))),
        ], name: "y", type: .tensor(.bfloat16, [2])))
    _ = try PassPipeline([BFloat16Computation()]).run(on: &graph)
    #expect(graph.operators == ["Cast", "Add", "Cast", "If"])
    let read = graph[graph.order[3]].uses.compactMap { graph.tensorType(of: $0)?.dataType }
    #expect(read == [.bool, .bfloat16, .bfloat16])
  }
}
