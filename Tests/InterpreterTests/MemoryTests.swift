import GraphIR
import Interpreter
import Operators
import Tensors
import Testing

/// Memory of results.
@Suite struct MemoryTests {
  private static func chain(_ length: Int) throws -> Engine {
    var graph = Graph.probed()
    var value = graph.addInput("x", type: .float32(.symbol("n")))
    for _ in 0..<length { value = graph.increment(value) }
    graph.addOutput(graph.emit("Identity", [value], name: "y"))
    return try Engine(graph, operators: .withProbes)
  }

  @Test func aLongChainNeedsTwoBuffers() throws {
    let engine = try Self.chain(100)
    let count = 1 << 14
    let y = try engine.run(["x": Tensor([Float](repeating: 0, count: count))])["y"]
    #expect(y?.elements(as: Float.self).allSatisfy { $0 == 100 } == true)
    #expect(engine.memory.peakByteCount == 2 * count * 4)
    #expect(engine.memory.reservedByteCount == 2 * count * 4)
    #expect(engine.memory.usedByteCount == count * 4, "the output is still held")
    #expect(engine.memory.requestCount == 100)
  }

  @Test func anOutputOutlivesTheEngine() throws {
    func makeOutput() throws -> Tensor? {
      try Self.chain(3).run(["x": Tensor([Float(1), 2])])["y"]
    }
    let y = try makeOutput()
    #expect(y?.elements(as: Float.self) == [4, 5])
  }

  @Test func anOutputIsNotOverwrittenByTheNextRun() throws {
    let engine = try Self.chain(3)
    let first = try engine.run(["x": Tensor([Float(1)])])["y"]
    let second = try engine.run(["x": Tensor([Float(5)])])["y"]
    #expect(first?.elements(as: Float.self) == [4])
    #expect(second?.elements(as: Float.self) == [8])
  }

  @Test func resultsAreAlignedToCacheLines() throws {
    let engine = try Self.chain(1)
    for count in [1, 17, 1000] {
      let y = try engine.run(["x": Tensor([Float](repeating: 0, count: count))])["y"]
      #expect(y.map { Int(bitPattern: $0.base) % 64 } == 0)
    }
  }

  @Test func anotherShapeFreesWhatThePlansBeforeNeeded() throws {
    let engine = try Self.chain(10)
    _ = try engine.run(["x": Tensor([Float](repeating: 0, count: 1 << 16))])
    _ = try engine.run(["x": Tensor([Float(0)])])
    #expect(engine.memory.reservedByteCount == 2 * 64)
  }

  @Test func aRunThatFailsLeavesNoMemoryBehind() throws {
    var graph = Graph.probed()
    let x = graph.addInput("x", type: .float32(.symbol("n")))
    let index = graph.addInput("index", type: .tensor(.int64, []))
    graph.addOutput(graph.emit("Gather", [graph.increment(x), index], name: "y"))
    let engine = try Engine(graph, operators: .withProbes)
    #expect(throws: InterpreterError.self) {
      try engine.run(["x": Tensor([Float(1), 2]), "index": Tensor(scalar: Int64(9))])
    }
    #expect(engine.memory.usedByteCount == 0)
  }
}
