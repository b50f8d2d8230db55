import GraphIR
import Interpreter
import Tensors
import Testing

/// What a caller may and may not feed.
@Suite struct FeedsTests {
  /// y = hidden + 1, with a second input that shares a symbol and a third with a default.
  private static func engine() throws -> Engine {
    var graph = Graph.probed()
    let hidden = graph.addInput("hidden_states", type: .float32(.symbol("b"), 2))
    graph.addInput("timestep", type: .tensor(.int64, [.symbol("b")]))
    let bias = graph.addInput("bias", type: .float32(.symbol("k")))
    graph.setInitializer(StoredTensor(Tensor([Float(7)])), of: bias)
    graph.addOutput(graph.increment(hidden, name: "y"))
    graph.addOutput(graph.increment(bias, name: "z"))
    return try Engine(graph, operators: .withProbes)
  }

  private static func refusal(_ feeds: [Name: Tensor]) throws -> InterpreterError? {
    let engine = try engine()
    do {
      _ = try engine.run(feeds)
      return nil
    } catch {
      return error
    }
  }

  private static func complete() throws -> [Name: Tensor] {
    [
      "hidden_states": try .floats([1, 2, 3, 4], 2, 2), "timestep": Tensor([Int64(5), 6]),
    ]
  }

  @Test func aCompleteFeedRunsAndAnAbsentInputTakesItsDefault() throws {
    let results = try Self.engine().run(Self.complete())
    #expect(results["y"]?.elements(as: Float.self) == [2, 3, 4, 5])
    #expect(results["z"]?.elements(as: Float.self) == [8])
  }

  @Test func aFedInputWinsOverItsDefault() throws {
    var feeds = try Self.complete()
    feeds["bias"] = Tensor([Float(1), 2])
    #expect(try Self.engine().run(feeds)["z"]?.elements(as: Float.self) == [2, 3])
  }

  @Test func aMissingInputIsNamedWithItsType() throws {
    var feeds = try Self.complete()
    feeds["timestep"] = nil
    let error = try #require(try Self.refusal(feeds))
    #expect(error.code == "missing-input")
    #expect(error.description == "input 'timestep': int64[b] is expected, nothing was given")
    #expect(error.category == .usage)
  }

  @Test func anUnknownInputSuggestsTheNearestName() throws {
    var feeds = try Self.complete()
    feeds["hiden_states"] = feeds.removeValue(forKey: "hidden_states")
    let error = try #require(try Self.refusal(feeds))
    #expect(error.code == "unknown-input")
    #expect(error.hint == "did you mean 'hidden_states'?")
  }

  @Test func anUnknownInputUnlikeAnyOtherListsTheInputs() throws {
    var feeds = try Self.complete()
    feeds["pooled_projection"] = Tensor([Float(0)])
    let error = try #require(try Self.refusal(feeds))
    #expect(error.hint == "its inputs are hidden_states, timestep, bias")
  }

  @Test func anotherElementTypeIsRefused() throws {
    var feeds = try Self.complete()
    feeds["timestep"] = Tensor([Float(5), 6])
    let error = try #require(try Self.refusal(feeds))
    #expect(error.code == "wrong-input-type")
    #expect(error.description == "input 'timestep': int64 is expected, float32 was given")
  }

  @Test(arguments: [[4], [2, 2, 1], [2, 3]])
  func anotherShapeIsRefused(dimensions: [Int]) throws {
    var feeds = try Self.complete()
    let shape = try Shape(dimensions)
    feeds["hidden_states"] = Tensor([Float](repeating: 0, count: shape.elementCount), shape: shape)
    let error = try #require(try Self.refusal(feeds))
    #expect(error.code == "wrong-input-shape")
    #expect(
      error.description
        == "input 'hidden_states': float32[b, 2] is expected, float32\(shape) was given")
  }

  @Test func oneSymbolCannotHaveTwoSizes() throws {
    var feeds = try Self.complete()
    feeds["timestep"] = Tensor([Int64(5), 6, 7])
    let error = try #require(try Self.refusal(feeds))
    #expect(error.code == "dimension-conflict")
    #expect(
      error.description
        == "input 'timestep' axis 0: the size is 3, the model requires b = 2 "
        + "(b = 2 by input 'hidden_states' axis 0)")
  }

  @Test func portsTellWhatToFeed() throws {
    let engine = try Self.engine()
    #expect(engine.inputs.map(\.name) == ["hidden_states", "timestep", "bias"])
    #expect(engine.inputs.map(\.isOptional) == [false, false, true])
    #expect(engine.inputs[1].type.description == "int64[b]")
    #expect(engine.outputs.map(\.name) == ["y", "z"])
  }
}
