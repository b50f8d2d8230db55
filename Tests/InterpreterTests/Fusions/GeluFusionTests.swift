import GraphIR
import Interpreter
import Tensors
import Testing

@Suite struct GeluFusionTests {
  /// The orders in which exporters multiply.
  enum Form: CaseIterable { case halfLast, halfFirst, cubeByPower, erfOfQuotient, erfOfProduct }

  @Test(arguments: Form.allCases) func everyOrderOfFactorsIsOneOperator(form: Form) throws {
    var graph = Graph(opsets: ["": 17])
    let x = graph.addInput("x", type: .float32(5, 40))
    func product(_ a: ValueID, _ b: ValueID) -> ValueID { graph.emit("Mul", [a, b]) }
    let curved: ValueID
    switch form {
    case .erfOfQuotient:
      curved = graph.emit("Erf", [graph.emit("Div", [x, graph.scalar(Float(2).squareRoot())])])
    case .erfOfProduct:
      curved = graph.emit("Erf", [product(x, graph.scalar(Float(0.5).squareRoot()))])
    case .halfLast, .halfFirst, .cubeByPower:
      let cube =
        form == .cubeByPower
        ? graph.emit("Pow", [x, graph.scalar(3)]) : product(x, product(x, x))
      let sum = graph.emit("Add", [x, product(graph.scalar(0.044715), cube)])
      curved = graph.emit("Tanh", [product(graph.scalar((2 / Float.pi).squareRoot()), sum)])
    }
    let one = graph.emit("Add", [graph.scalar(1), curved])
    let half = graph.scalar(0.5)
    let y =
      form == .halfFirst ? product(product(x, half), one) : product(half, product(x, one))
    graph.addOutput(graph.emit("Identity", [y], name: "y"))
    var noise = Noise()
    let numbers = try noise.tensor(5, 40).elements(as: Float.self).map { 4 * $0 }
    let result = try FusionHarness(graph, ["x": Tensor(numbers, shape: Shape([5, 40]))])
    let isErf = form == .erfOfQuotient || form == .erfOfProduct
    #expect(result.changes == ["fused-gelu: GELU by \(isErf ? "erf" : "tanh")"])
  }

  @Test func aSumThatIsNotHalvedIsNoGelu() throws {
    var graph = Graph(opsets: ["": 17])
    let x = graph.addInput("x", type: .float32(5, 40))
    let root = graph.scalar(Float(2).squareRoot())
    let curved = graph.emit("Erf", [graph.emit("Div", [x, root])])
    let one = graph.emit("Add", [curved, graph.scalar(1)])
    graph.addOutput(graph.emit("Mul", [x, one], name: "y"))
    var noise = Noise()
    let result = try FusionHarness(graph, ["x": noise.tensor(5, 40)], tolerance: 0)
    #expect(result.declined == ["fused-gelu: the sum is not multiplied with half of x"])
  }

  @Test func nodesThatPassValuesOnAreLeftOut() throws {
    var graph = Graph(opsets: ["": 17])
    let x = graph.addInput("x", type: .float32(5, 4))
    let same = graph.emit("Cast", [graph.emit("Identity", [x])], [Attribute("to", .int(1))])
    graph.addOutput(graph.emit("Neg", [graph.emit("Identity", [same])], name: "y"))
    var noise = Noise()
    let result = try FusionHarness(graph, ["x": noise.tensor(5, 4)], tolerance: 0)
    #expect(result.changes.count == 3)
  }
}
