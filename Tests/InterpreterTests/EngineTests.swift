import GraphIR
import Interpreter
import Operators
import Tensors
import Testing

/// What an engine refuses to begin with, and how failures of nodes read.
@Suite struct EngineTests {
  @Test func b14_everythingThatCannotRunIsReportedAtOnce() throws {
    var graph = Graph()
    let x = graph.addInput("x", type: .float32(1))
    let y = graph.emit("FancyOperator", [graph.emit("FancyOperator", [x])])
    graph.addOutput(graph.emit(OpKey("Other", domain: "elsewhere"), [y]))
    let error = #expect(throws: UnsupportedOperators.self) { try Engine(graph) }
    #expect(error?.problems.values.sorted() == [1, 2])
    #expect(error?.category == .unsupported)
  }

  @Test func aBrokenGraphIsRefused() throws {
    var graph = Graph()
    graph.addOutput(graph.makeValue("y"))
    #expect(throws: GraphError.self) { try Engine(graph) }
  }

  @Test func aCacheNodeIsAnInternalFault() throws {
    var graph = Graph()
    let x = graph.addInput("x", type: .float32(1))
    let decision = graph.addInput("decision", type: .tensor(.bool, []))
    func body() -> Subgraph {
      var graph = Graph()
      graph.addOutput(graph.addCapture("x", type: .float32(1)))
      return Subgraph(graph: graph, captures: [x])
    }
    let y = graph.makeValue("y")
    graph.append(
      Node(
        .cache, name: "cached", inputs: [decision], outputs: [y],
        cache: CacheNode(
          rule: "r", site: "blocks.0-3", streamCount: 1, body: body(), reuse: body(), slots: [])))
    graph.addOutput(y)
    let error = #expect(throws: InterpreterError.self) { try Engine(graph) }
    #expect(error?.code == "cache-node-not-lowered")
    #expect(error?.category == .internalFault)
  }

  @Test func shapesThatDoNotFitAreReportedWithTheNode() throws {
    var graph = Graph()
    let a = graph.addInput("a", type: .float32(.symbol("n"), .symbol("k")))
    let b = graph.addInput("b", type: .float32(.symbol("l"), .symbol("m")))
    graph.addOutput(graph.emit("MatMul", [a, b], name: "x"))
    let engine = try Engine(graph)
    let error = #expect(throws: InterpreterError.self) {
      try engine.run([
        "a": try .floats([Float](repeating: 0, count: 6), 2, 3),
        "b": try .floats([Float](repeating: 0, count: 20), 4, 5),
      ])
    }
    #expect(error?.place == "MatMul 'x'")
    #expect(
      error?.message.hasSuffix("Inputs were float32[2, 3], float32[4, 5]") == true,
      "\(String(describing: error))")
  }

  @Test func aFailureWhileRunningNamesTheNodeAndItsOperands() throws {
    var graph = Graph()
    let x = graph.addInput("x", type: .float32(3))
    let index = graph.addInput("index", type: .tensor(.int64, []))
    graph.addOutput(graph.emit("Gather", [x, index], name: "picked"))
    let error = #expect(throws: InterpreterError.self) {
      try Engine(graph).run(["x": Tensor([Float(1), 2, 3]), "index": Tensor(scalar: Int64(9))])
    }
    #expect(error?.place == "Gather 'picked'")
    #expect(error?.message.hasSuffix("Inputs were float32[3], int64[]") == true)
  }

  @Test func aWeightThatCannotBeReadIsNamed() throws {
    struct Missing: TensorSource {
      func load() throws -> Tensor { throw OperatorError("external-data-missing", "no such file") }
    }
    var graph = Graph()
    let x = graph.addInput("x", type: .float32(600))
    let weight = graph.addInitializer(
      "w", StoredTensor(dataType: .float32, shape: .vector(600), source: Missing()))
    graph.addOutput(graph.emit("Add", [x, weight], name: "y"))
    let engine = try Engine(graph)
    let error = #expect(throws: InterpreterError.self) {
      try engine.run(["x": Tensor([Float](repeating: 0, count: 600))])
    }
    #expect(error?.code == "external-data-missing")
    #expect(error?.place == "constant 'w'")
  }

  @Test func h5_severalThreadsMayRunOneEngine() async throws {
    var graph = Graph()
    var value = graph.addInput("x", type: .float32(.symbol("n")))
    for _ in 0..<50 { value = graph.emit("Add", [value, value]) }
    graph.addOutput(graph.emit("Identity", [value], name: "y"))
    let engine = try Engine(graph, options: EngineOptions(threads: 1))
    let wrong = try await withThrowingTaskGroup(of: Bool.self) { group in
      for task in 0..<8 {
        group.addTask {
          for count in 1...20 {
            let x = Tensor([Float](repeating: Float(task), count: count))
            let y = try engine.run(["x": x])["y"]?.elements(as: Float.self)
            let expected = [Float](repeating: Float(task) * 0x1p50, count: count)
            if y != expected { return true }
          }
          return false
        }
      }
      return try await group.reduce(false) { $0 || $1 }
    }
    #expect(!wrong)
  }
}
