import GraphIR
import Interpreter
import Operators
import Tensors
import Testing

/// Graphs inside nodes.
@Suite struct BranchTests {
  @Test func onlyTheTakenBranchRuns() throws {
    let (left, right) = (CountedIncrement.makeTag(), CountedIncrement.makeTag())
    var graph = Graph.probed()
    let condition = graph.addInput("condition", type: .tensor(.bool, []))
    let x = graph.addInput("x", type: .float32(.symbol("n")))
    let y = graph.choose(condition, capturing: [x]) { graph, captured in
      graph.increment(captured[0], tag: left)
    } otherwise: { graph, captured in
      graph.increment(graph.increment(captured[0], tag: right), tag: right)
    }
    graph.addOutput(y)
    let engine = try Engine(graph, operators: .withProbes)
    let name = graph.name(of: y)
    let x1 = Tensor([Float(1)])
    let taken = try engine.run(["condition": Tensor(scalar: true), "x": x1])[name]
    #expect(taken?.elements(as: Float.self) == [2])
    #expect(CountedIncrement.count(right) == 0)
    let other = try engine.run(["condition": Tensor(scalar: false), "x": x1])[name]
    #expect(other?.elements(as: Float.self) == [3])
    #expect(CountedIncrement.count(left) == 1)
    #expect(CountedIncrement.count(right) == 2)
  }

  @Test func aCapturedValueIsPassedOnWithoutACopy() throws {
    var graph = Graph()
    let condition = graph.addInput("condition", type: .tensor(.bool, []))
    let x = graph.addInput("x", type: .float32(3))
    let y = graph.choose(condition, capturing: [x]) { graph, captured in
      graph.emit("Identity", [captured[0]])
    } otherwise: { graph, captured in
      graph.emit("Neg", [captured[0]])
    }
    graph.addOutput(y)
    let x3 = Tensor([Float(1), 2, 3])
    let results = try Engine(graph).run(["condition": Tensor(scalar: true), "x": x3])
    #expect(results[graph.name(of: y)]?.base == x3.base)
  }

  @Test func constantsOfBranchesAreReadOnceForAllPlans() throws {
    let outer = CountedSource(Tensor([Float](repeating: 1, count: 300)))
    let inner = CountedSource(Tensor([Float](repeating: 2, count: 300)))
    var graph = Graph()
    let condition = graph.addInput("condition", type: .tensor(.bool, []))
    let x = graph.addInput("x", type: .float32(.symbol("n"), 1))
    let weight = graph.addInitializer("outer", outer.stored)
    let y = graph.choose(condition, capturing: [x, weight]) { graph, captured in
      let bias = graph.addInitializer("inner", inner.stored)
      return graph.emit("Add", [graph.emit("Mul", [captured[0], captured[1]]), bias])
    } otherwise: { graph, captured in
      graph.emit("Mul", [captured[0], captured[1]])
    }
    graph.addOutput(y)
    let engine = try Engine(graph)
    for rows in [1, 2, 1] {
      let x = Tensor([Float](repeating: 3, count: rows), shape: try Shape([rows, 1]))
      let y = try engine.run(["condition": Tensor(scalar: true), "x": x]).values.first
      #expect(y?.elements(as: Float.self) == [Float](repeating: 5, count: rows * 300))
    }
    #expect(outer.readCount == 1)
    #expect(inner.readCount == 1)
  }

  @Test func aBranchThatCannotRunMattersOnlyWhenItIsTaken() throws {
    var graph = Graph()
    let condition = graph.addInput("condition", type: .tensor(.bool, []))
    let x = graph.addInput("x", type: .float32(.symbol("n")))
    let state = graph.addInput("state", type: .float32(.symbol("m")))
    let y = graph.choose(condition, capturing: [x, state]) { graph, captured in
      graph.emit("Neg", [captured[0]])
    } otherwise: { graph, captured in
      graph.emit("Add", [captured[0], captured[1]], name: "sum")
    }
    graph.addOutput(graph.emit("Abs", [y], name: "y"))
    let engine = try Engine(graph)
    let x3 = Tensor([Float(1), 2, 3])
    let feeds: [Name: Tensor] = ["x": x3, "state": Tensor([Float]())]
    let computed = try engine.run(feeds.merging(["condition": Tensor(scalar: true)]) { $1 })
    #expect(computed["y"]?.elements(as: Float.self) == [1, 2, 3])
    let error = #expect(throws: InterpreterError.self) {
      try engine.run(feeds.merging(["condition": Tensor(scalar: false)]) { $1 })
    }
    #expect(error?.place.contains("Add 'sum'") == true)
  }

  @Test func branchesNest() throws {
    var graph = Graph()
    let a = graph.addInput("a", type: .tensor(.bool, []))
    let b = graph.addInput("b", type: .tensor(.bool, []))
    let x = graph.addInput("x", type: .float32(1))
    let y = graph.choose(a, capturing: [b, x]) { graph, outer in
      graph.choose(outer[0], capturing: [outer[1]]) { graph, inner in
        graph.emit("Neg", [inner[0]])
      } otherwise: { graph, inner in
        graph.emit("Add", [inner[0], inner[0]])
      }
    } otherwise: { graph, outer in
      graph.emit("Identity", [outer[1]])
    }
    graph.addOutput(graph.emit("Identity", [y], name: "y"))
    let engine = try Engine(graph)
    for (a, b, expected) in [(true, true, Float(-3)), (true, false, 6), (false, true, 3)] {
      let y = try engine.run([
        "a": Tensor(scalar: a), "b": Tensor(scalar: b), "x": Tensor([Float(3)]),
      ])["y"]
      #expect(y?.elements(as: Float.self) == [expected])
    }
  }
}
