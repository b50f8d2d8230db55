import Glibc
import GraphIR
import Interpreter
import Rewrite
import Tensors
import Testing

/// Results over operands that nobody reads any more, and results written where they are joined.
@Suite struct ResultPlacementTests {
  private static let size = 1 << 12

  private static func engine(
    fuses: Bool = false, _ build: (inout Graph, ValueID) -> ValueID
  ) throws -> Engine {
    var graph = Graph()
    let x = graph.addInput("x", type: .float32(4, Dimension(size / 4)))
    graph.addOutput(graph.emit("Identity", [build(&graph, x)], name: "y"))
    return try Engine(graph, options: EngineOptions(threads: 1, fusesOperators: fuses))
  }

  private static func ramp() throws -> Tensor {
    Tensor((0..<size).map { Float($0 % 97) / 97 }, shape: try Shape([4, size / 4]))
  }

  // MARK: Over an operand

  @Test func aChainOfElementwiseOperatorsTakesOneBuffer() throws {
    let engine = try Self.engine { graph, x in
      let half = graph.scalar(0.5)
      let sum = graph.emit("Add", [graph.emit("Exp", [graph.emit("Neg", [x])]), half])
      return graph.emit("Sub", [half, graph.emit("Elu", [sum])])
    }
    let x = try Self.ramp()
    let y = try engine.run(["x": x])["y"]
    #expect(engine.memory.requestCount == 1)
    #expect(x.elements(as: Float.self) == (try Self.ramp().elements(as: Float.self)))
    #expect(y?.elements(as: Float.self)[0] == -1)
    #expect(y?.elements(as: Float.self)[97] == -1)
  }

  @Test(arguments: [0, 1]) func scoresBecomeWeightsInPlace(axis: Int) throws {
    let engine = try Self.engine { graph, x in
      graph.emit("Softmax", [graph.emit("Neg", [x])], [Attribute("axis", .int(axis))])
    }
    let apart = try Self.engine { graph, x in
      let minus = graph.emit("Neg", [x])
      graph.addOutput(graph.emit("Identity", [minus], name: "kept"))
      return graph.emit("Softmax", [minus], [Attribute("axis", .int(axis))])
    }
    let y = try engine.run(["x": Self.ramp()])["y"]?.elements(as: Float.self)
    let due = try apart.run(["x": Self.ramp()])["y"]?.elements(as: Float.self)
    #expect(y == due)
    #expect(engine.memory.requestCount == 1 && apart.memory.requestCount == 2)
  }

  @Test func whatIsReadAgainStays() throws {
    let engine = try Self.engine { graph, x in
      let minus = graph.emit("Neg", [x])
      let seen = graph.emit("Reshape", [minus, graph.integers(-1)])
      let other = graph.emit("Exp", [minus])
      return graph.emit("Add", [other, graph.emit("Reshape", [seen, graph.integers(4, -1)])])
    }
    let x = try Self.ramp().elements(as: Float.self)
    let y = try engine.run(["x": Self.ramp()])["y"]?.elements(as: Float.self)
    for (x, y) in zip(x, y ?? []) where abs(expf(-x) - x - y) > 1e-6 {
      Issue.record("\(x) gives \(y)")
      return
    }
    #expect(engine.memory.requestCount == 2)
  }

  @Test func anOperandThatIsThereTwiceStays() throws {
    let engine = try Self.engine { graph, x in
      let minus = graph.emit("Neg", [x])
      return graph.emit("Sum", [minus, minus, minus])
    }
    let y = try engine.run(["x": Self.ramp()])["y"]?.elements(as: Float.self)
    #expect(y?[96] == -3 * Float(96) / 97)
  }

  @Test func aRowThatIsRepeatedIsNotOverwritten() throws {
    let engine = try Self.engine { graph, x in
      let row = graph.emit(
        "ReduceMax", [x, graph.integers(0)], [Attribute("keepdims", .int(1))])
      return graph.emit("Mul", [row, graph.emit("Neg", [x])])
    }
    let y = try engine.run(["x": Self.ramp()])["y"]?.elements(as: Float.self) ?? []
    let x = try Self.ramp().elements(as: Float.self)
    let width = Self.size / 4
    let due = x.indices.map { i in
      -x[i] * (0..<4).map { x[$0 * width + i % width] }.reduce(0, max)
    }
    #expect(y == due)
  }

  @Test func stateThatTheCallerHoldsStaysAndStateHandedOverIsOverwritten() throws {
    let engine = try Self.engine { graph, x in graph.emit("Neg", [x]) }
    let first = try #require(try engine.run(["x": Self.ramp()])["y"])
    let held = first.elements(as: Float.self)
    _ = try engine.run(["x": first])
    #expect(first.elements(as: Float.self) == held)
    #expect(engine.memory.requestCount == 2)
    var feeds = try engine.run(["x": Self.ramp()])
    feeds["x"] = feeds.removeValue(forKey: "y")
    #expect(engine.memory.requestCount == 3)
    let again = try engine.run(consume feeds)["y"]
    #expect(engine.memory.requestCount == 3, "the state's own memory is taken")
    #expect(again?.elements(as: Float.self) == (try Self.ramp().elements(as: Float.self)))
  }

  @Test func memoryOfTheCallerIsNeverWrittenTo() throws {
    let engine = try Self.engine { graph, x in graph.emit("Neg", [x]) }
    let storage = TensorStorage(byteCount: 4 * Self.size)
    let base = storage.base.assumingMemoryBound(to: Float.self)
    for i in 0..<Self.size { base[i] = 1 }
    func feed() throws -> [Name: Tensor] {
      let shape = try Shape([4, Self.size / 4])
      return [
        "x": Tensor(
          dataType: .float32, shape: shape, strides: shape.rowMajorStrides, offset: 0,
          storage: TensorStorage(base: storage.base, byteCount: storage.byteCount) { _ in })
      ]
    }
    _ = try engine.run(feed())
    #expect(base[0] == 1 && base[Self.size - 1] == 1)
    withExtendedLifetime(storage) {}
  }

  @Test func aBranchOverwritesWhatOnlyItReads() throws {
    func engine(readsAgain: Bool) throws -> Engine {
      try Self.engine { graph, x in
        let minus = graph.emit("Neg", [x])
        let condition = graph.emit(
          "Less", [graph.emit("ReduceMax", [x], [Attribute("keepdims", .int(0))]), graph.scalar(9)])
        let y = graph.choose(condition, capturing: [minus]) { graph, captured in
          graph.emit("Exp", [captured[0]])
        } otherwise: { graph, captured in
          graph.emit("Identity", [captured[0]])
        }
        return readsAgain ? graph.emit("Add", [y, minus]) : y
      }
    }
    let x = try Self.ramp().elements(as: Float.self)
    for readsAgain in [false, true] {
      let engine = try engine(readsAgain: readsAgain)
      let y = try engine.run(["x": Self.ramp()])["y"]?.elements(as: Float.self) ?? []
      #expect(abs(y[50] - (expf(-x[50]) - (readsAgain ? x[50] : 0))) < 1e-6)
    }
  }

  // MARK: Where they are joined

  @Test(arguments: [0, 1, -1]) func partsAreWrittenWhereTheyAreJoined(axis: Int) throws {
    let engine = try Self.engine { graph, x in
      graph.emit(
        "Concat", [graph.emit("Neg", [x]), x, graph.emit("Exp", [graph.emit("Neg", [x])])],
        [Attribute("axis", .int(axis))])
    }
    let y = try #require(try engine.run(["x": Self.ramp()])["y"])
    let x = try Self.ramp()
    let own = axis < 0 ? 1 : axis
    let parts = (0..<3).map {
      y.sliced(axis: own, first: $0 * x.shape[own], count: x.shape[own]).elements(as: Float.self)
    }
    #expect(parts[1] == x.elements(as: Float.self))
    #expect(parts[0] == parts[1].map { -$0 })
    #expect(zip(parts[2], parts[0]).allSatisfy { abs($0 - expf($1)) < 1e-6 })
    // Along the first axis a part is contiguous, which is all that these operators can write to.
    #expect(engine.memory.peakByteCount == (own == 0 ? 16 : 20) * Self.size)
  }

  @Test func productsAndAttentionWriteColumnsOfAJoinedMatrix() throws {
    var noise = Noise()
    let (rows, width) = (96, 64)
    func graph(keepingParts: Bool) throws -> Graph {
      var graph = Graph()
      let x = graph.addInput("x", type: .float32(1, Dimension(rows), Dimension(width)))
      var noise = Noise()
      func weight(_ columns: Int, of depth: Int = width) throws -> ValueID {
        graph.constant(
          try noise.tensor(depth, columns).elements(as: Float.self),
          shape: try Shape([depth, columns]))
      }
      func heads(_ value: ValueID) -> ValueID {
        graph.permuted(
          graph.emit("Reshape", [value, graph.integers(1, rows, 4, 16)]), 0, 2, 1, 3)
      }
      let mlp = graph.emit(
        "Gelu", [graph.emit("MatMul", [x, try weight(160)])],
        [Attribute("approximate", .text("tanh"))])
      let (q, k, v) = try (
        heads(graph.emit("MatMul", [x, weight(width)])),
        heads(graph.emit("MatMul", [x, weight(width)])),
        heads(graph.emit("MatMul", [x, weight(width)]))
      )
      let scores = graph.emit(
        "Softmax", [graph.emit("MatMul", [q, graph.permuted(k, 0, 1, 3, 2)])],
        [Attribute("axis", .int(-1))])
      let attended = graph.emit(
        "Reshape",
        [
          graph.permuted(graph.emit("MatMul", [scores, v]), 0, 2, 1, 3),
          graph.integers(1, rows, width),
        ])
      let joined = graph.emit("Concat", [attended, mlp], [Attribute("axis", .int(2))])
      graph.addOutput(graph.emit("MatMul", [joined, try weight(8, of: 224)], name: "y"))
      if keepingParts {
        graph.addOutput(graph.emit("Identity", [attended], name: "a"))
        graph.addOutput(graph.emit("Identity", [mlp], name: "b"))
      }
      return graph
    }
    let x = try noise.tensor(1, rows, width)
    let options = EngineOptions(threads: 2)
    let joined = try Engine(graph(keepingParts: false), options: options)
    let apart = try Engine(graph(keepingParts: true), options: options)
    let y = try joined.run(["x": x])["y"]?.elements(as: Float.self)
    let due = try apart.run(["x": x])["y"]?.elements(as: Float.self)
    #expect(y == due)
    let plan = try joined.plan(for: ["x": x.shape])
    #expect(plan.fusions.contains { $0.pass == "fused-attention" && !$0.changes.isEmpty })
    #expect(joined.memory.peakByteCount < apart.memory.peakByteCount)
    #expect(plan.statistics.predictedPeakByteCount == joined.memory.peakByteCount)
  }
}
