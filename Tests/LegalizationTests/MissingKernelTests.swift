import GraphIR
import Legalization
import Rewrite
import Tensors
import Testing
import TypeInference

@Suite("Missing kernels") struct MissingKernelTests {
  private func graph(
    _ op: OpKey, _ type: DataType, opset: Int = 20, operands: Int = 1
  ) throws -> Graph {
    var graph = Graph(name: "one", opsets: ["": opset])
    let inputs = (0..<operands).map { graph.addInput(Name("x\($0)"), type: .tensor(type, [3])) }
    graph.addOutput(graph.emit(op, inputs, name: "y"))
    _ = try PassPipeline([InferTypes()]).run(on: &graph)
    return graph
  }

  private func legalized(_ graph: Graph, _ target: RuntimeTarget) throws -> Graph {
    var graph = graph
    _ = try PassPipeline(target.passes).run(on: &graph)
    return graph
  }

  @Test("ONNX Runtime computes Erf of float64 in float32, results are float64 again")
  func doubles() throws {
    let original = try graph("Erf", .float64)
    let rewritten = try legalized(original, .onnxruntime)
    #expect(rewritten.operators == ["Cast", "Erf", "Cast"])
    #expect(rewritten.tensorType(of: rewritten.outputs[0])?.dataType == .float64)
    let y = try rewritten.result(["x0": Tensor([0.0, 0.5, -2.0])])
    let expected = [0, 0.5204998778130465, -0.9953222650189527]
    #expect(zip(y.elements(as: Double.self), expected).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test("ONNX Runtime takes the Max of int16 in int32, exactly")
  func integers() throws {
    let rewritten = try legalized(try graph("Max", .int16, operands: 2), .onnxruntime)
    #expect(rewritten.operators == ["Cast", "Cast", "Max", "Cast"])
    let a = Tensor([Int16.min, 5, 7])
    let b = Tensor([Int16.max, -5, 8])
    #expect(
      try rewritten.result(["x0": a, "x1": b]).elements(as: Int16.self) == [Int16.max, 5, 8])
  }

  @Test(
    "the strict standard admits bfloat16 in Sin from operator set 22 on",
    arguments: [(20, ["Cast", "Sin", "Cast"]), (22, ["Sin"])])
  func strict(opset: Int, expected: [OpKey]) throws {
    var graph = Graph(name: "one", opsets: ["": opset])
    let x = graph.addInput("x", type: .tensor(.bfloat16, [3]))
    graph.addOutput(graph.emit("Sin", [x], name: "y", type: .tensor(.bfloat16, [3])))
    #expect(try legalized(graph, .onnx).operators == expected)
  }

  @Test("an operand that is read twice is cast once")
  func sharedOperand() throws {
    var graph = Graph(name: "one", opsets: ["": 20])
    let x = graph.addInput("x", type: .tensor(.int16, [3]))
    graph.addOutput(graph.emit("Max", [x, x], name: "y", type: .tensor(.int16, [3])))
    #expect(try legalized(graph, .onnxruntime).operators == ["Cast", "Max", "Cast"])
  }

  @Test("types that have kernels are left alone", arguments: RuntimeTarget.allCases)
  func noMatch(target: RuntimeTarget) throws {
    for (op, type) in [("Erf", DataType.float32), ("Max", .int64), ("Exp", .float64)]
      as [(OpKey, DataType)]
    {
      let original = try graph(op, type)
      #expect(try legalized(original, target).text() == original.text())
    }
  }
}
