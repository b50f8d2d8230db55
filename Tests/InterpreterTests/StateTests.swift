import GraphIR
import Interpreter
import Operators
import Tensors
import Testing

/// State that goes in and comes out, as cached models keep it.
@Suite struct StateTests {
  /// What a cached block becomes: hidden states and a delta, computed or reused.
  private static func engine(_ count: Int) throws -> Engine {
    var graph = Graph.probed()
    let compute = graph.addInput("compute", type: .tensor(.bool, []))
    let x = graph.addInput("x", type: .float32(Dimension(count)))
    let state = graph.addInput("delta", type: .float32(.symbol("d")))
    graph.setInitializer(StoredTensor(Tensor([Float]())), of: state)
    let delta = graph.choose(compute, capturing: [x, state]) { graph, captured in
      graph.emit("Sub", [graph.increment(captured[0]), captured[0]])
    } otherwise: { graph, captured in
      graph.emit("Identity", [captured[1]])
    }
    graph.rename(delta, to: "delta/out")
    graph.addOutput(graph.emit("Add", [x, delta], name: "y"))
    graph.addOutput(delta)
    graph.addStatePair(StatePair(input: state, output: delta))
    return try Engine(graph, operators: .withProbes)
  }

  @Test func aReusedStepReturnsTheSameStorageAndAllocatesNothingForState() throws {
    let count = 1 << 16
    let engine = try Self.engine(count)
    let x = Tensor([Float](repeating: 1, count: count))
    let first = try engine.run(["compute": Tensor(scalar: true), "x": x])
    let delta = try #require(first["delta/out"])
    #expect(delta.elements(as: Float.self).allSatisfy { $0 == 1 })
    let requests = engine.memory.requestCount
    let second = try engine.run(["compute": Tensor(scalar: false), "x": x, "delta": delta])
    #expect(second["delta/out"]?.base == delta.base)
    #expect(second["y"]?.elements(as: Float.self).allSatisfy { $0 == 2 } == true)
    #expect(engine.memory.requestCount == requests + 1, "only y is new")
  }

  @Test func aComputedStepWritesIntoTheMemoryOfStateThatNobodyElseHolds() throws {
    let count = 1 << 16
    let engine = try Self.engine(count)
    let x = Tensor([Float](repeating: 1, count: count))
    var delta = try engine.run(["compute": Tensor(scalar: true), "x": x])["delta/out"]
    let address = delta?.base
    var reserved: [Int] = []
    for _ in 0..<4 {
      var feeds: [Name: Tensor] = ["compute": Tensor(scalar: true), "x": x]
      feeds["delta"] = delta.take()
      delta = try engine.run(consume feeds)["delta/out"]
      reserved.append(engine.memory.reservedByteCount)
    }
    #expect(delta?.elements(as: Float.self).allSatisfy { $0 == 1 } == true)
    #expect(Set(reserved).count == 1, "every step works in the memory of the one before")
    #expect(
      reserved[0] <= 3 * count * 4,
      "\(reserved[0]) bytes, at address \(String(describing: address))")
  }

  @Test func portsNameTheOtherEndOfAStatePair() throws {
    let engine = try Self.engine(4)
    #expect(engine.inputs.last?.statePartner == "delta/out")
    #expect(engine.outputs.last?.statePartner == "delta")
    #expect(engine.inputs.first?.statePartner == nil)
  }
}
