import GraphIR
import Interpreter
import Operators
import Tensors
import Testing

/// What is computed while planning, and what is not computed at all.
@Suite struct PlanTests {
  @Test func whatDoesNotDependOnInputsIsComputedOnceForAllShapes() throws {
    let tag = CountedIncrement.makeTag()
    var graph = Graph.probed()
    let x = graph.addInput("x", type: .float32(.symbol("n")))
    let one = graph.increment(graph.constant([Float(1)], shape: .vector(1)), tag: tag)
    graph.addOutput(graph.emit("Add", [x, graph.increment(one, tag: tag)], name: "y"))
    let engine = try Engine(graph, operators: .withProbes)
    for count in [1, 2, 3, 2] {
      let x = Tensor([Float](repeating: 5, count: count))
      let y = try engine.run(["x": x])["y"]
      #expect(y?.elements(as: Float.self) == [Float](repeating: 8, count: count))
    }
    #expect(CountedIncrement.count(tag) == 2)
    #expect(try engine.plan(for: ["x": .vector(2)]).statistics.foldedNodeCount == 2)
  }

  @Test func shapeArithmeticFoldsOnceTheShapesAreKnown() throws {
    var graph = Graph()
    let x = graph.addInput("x", type: .float32(.symbol("n"), 4))
    let shape = graph.emit("Shape", [x])
    let rows = graph.emit("Gather", [shape, graph.constant([Int64(0)], shape: .vector(1))])
    let columns = graph.constant([Int64(-1)], shape: .vector(1))
    let target = graph.emit("Concat", [columns, rows], [Attribute("axis", .int(0))])
    graph.addOutput(graph.emit("Reshape", [x, target], name: "y"))
    let engine = try Engine(graph)
    let plan = try engine.plan(for: ["x": try Shape([3, 4])])
    #expect(plan.statistics.stepCount == 1)
    #expect(plan.statistics.foldedNodeCount == 3)
    let x3 = try Tensor.floats((0..<12).map { Float($0) }, 3, 4)
    #expect(try engine.run(["x": x3])["y"]?.shape.dimensions == [4, 3])
  }

  @Test func whatNoOutputNeedsIsRemoved() throws {
    let tag = CountedIncrement.makeTag()
    var graph = Graph.probed()
    let x = graph.addInput("x", type: .float32(2))
    graph.increment(graph.increment(x, tag: tag), tag: tag)
    graph.addOutput(graph.emit("Identity", [x], name: "y"))
    let engine = try Engine(graph, operators: .withProbes)
    _ = try engine.run(["x": Tensor([Float(1), 2])])
    #expect(CountedIncrement.count(tag) == 0)
    #expect(try engine.plan(for: [:]).statistics.removedNodeCount == 2)
  }

  @Test func plansAreKeptByShapeUpToALimit() throws {
    var graph = Graph.probed()
    let x = graph.addInput("x", type: .float32(.symbol("n")))
    graph.addOutput(graph.increment(x, name: "y"))
    let engine = try Engine(graph, operators: .withProbes)
    let first = try engine.plan(for: ["x": .vector(1)])
    #expect(try engine.plan(for: ["x": .vector(1)]) === first)
    for count in 2...(Engine.maximumPlans + 1) {
      _ = try engine.plan(for: ["x": .vector(count)])
    }
    #expect(try engine.plan(for: ["x": .vector(1)]) !== first)
  }

  @Test func weightsAreReadOnceForAllShapesAndNotBeforeTheyAreNeeded() throws {
    let source = CountedSource(Tensor([Float](repeating: 2, count: 300)))
    var graph = Graph()
    let x = graph.addInput("x", type: .float32(.symbol("n"), 1))
    let weight = graph.addInitializer("w", source.stored)
    graph.addOutput(graph.emit("Mul", [x, weight], name: "y"))
    let engine = try Engine(graph)
    #expect(source.readCount == 0)
    for rows in [1, 2, 1] {
      let x = Tensor([Float](repeating: 3, count: rows), shape: try Shape([rows, 1]))
      let y = try engine.run(["x": x])["y"]
      #expect(y?.elements(as: Float.self) == [Float](repeating: 6, count: rows * 300))
    }
    #expect(source.readCount == 1)
  }

  @Test func sizesThatDependOnDataAreFoundWhileRunning() throws {
    var graph = Graph()
    let mask = graph.addInput("mask", type: .tensor(.bool, [.symbol("n")]))
    let x = graph.addInput("x", type: .float32(.symbol("n")))
    let places = graph.emit("NonZero", [mask])
    let axes = graph.constant([Int64(0)], shape: .vector(1))
    let kept = graph.emit("Gather", [x, graph.emit("Squeeze", [places, axes])])
    let squared = graph.emit("Mul", [kept, kept])
    graph.addOutput(graph.emit("Concat", [squared, x], [Attribute("axis", .int(0))], name: "y"))
    let engine = try Engine(graph, options: EngineOptions(checksResultTypes: true))
    for mask in [[true, false, true], [false, false, false], [false, true, true]] {
      let y = try engine.run(["mask": Tensor(mask), "x": Tensor([Float(2), 3, 4])])["y"]
      let kept = zip(mask, [Float(2), 3, 4]).filter(\.0).map { $0.1 * $0.1 }
      #expect(y?.elements(as: Float.self) == kept + [2, 3, 4])
    }
  }

  @Test func aTypeFoundWhileRunningIsCheckedLikeAnyOther() throws {
    var graph = Graph()
    let mask = graph.addInput("mask", type: .tensor(.bool, [2]))
    let places = graph.emit("Cast", [graph.emit("NonZero", [mask])], [Attribute("to", .int(1))])
    let three = graph.constant([Float(1), 2, 3], shape: .vector(3))
    graph.addOutput(graph.emit("Add", [places, three], name: "y"))
    let engine = try Engine(graph)
    let fine = try engine.run(["mask": Tensor([true, false])])
    #expect(fine["y"]?.elements(as: Float.self) == [1, 2, 3])
    let error = #expect(throws: InterpreterError.self) {
      try engine.run(["mask": Tensor([true, true])])
    }
    #expect(error?.place == "Add 'y'")
    #expect(error?.message.hasSuffix("Inputs were float32[1, 2], float32[3]") == true)
  }
}
