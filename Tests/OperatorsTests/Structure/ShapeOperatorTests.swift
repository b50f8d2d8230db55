import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ShapeOperatorTests {
  @Test func theDimensionsAreElements() throws {
    let y = try OperatorHarness.run("Shape", [try .counting(2, 3, 4)])[0]
    expect(y, [2, 3, 4], shape: [3])
    let fact = try OperatorHarness.infer("Shape", [ValueFact(.float32, [1, s, 2 * t])])[0]
    #expect(fact.elements == [1, s, 2 * t])
    #expect(fact.type == .tensor(.int64, [3]))
  }

  @Test func startAndEndCountFromEitherEndAndAreMovedIntoRange() throws {
    let x = try Tensor.counting(2, 3, 4)
    func part(_ start: Int, _ end: Int?) throws -> [Int]? {
      var attributes = [Attribute("start", .int(start))]
      if let end { attributes.append(Attribute("end", .int(end))) }
      return try OperatorHarness.run("Shape", [x], attributes)[0].integers()
    }
    #expect(try part(-2, nil) == [3, 4])
    #expect(try part(0, -1) == [2, 3])
    #expect(try part(1, 100) == [3, 4])
    #expect(try part(-100, 1) == [2])
    #expect(try part(2, 1) == [])
  }

  @Test func startIsUnknownToOlderModels() {
    let refusal = OperatorHarness.refusal(
      "Shape", [ValueFact(.float32, [1])], [Attribute("start", .int(0))], opset: 13)
    #expect(refusal?.code == "unsupported-operator")
  }
}
