import GraphIR
import Operators
import Tensors
import Testing

@Suite struct SizeTests {
  @Test func elementsAreCounted() throws {
    expect(try OperatorHarness.run("Size", [try .counting(2, 3, 4)])[0], [24], shape: [])
    expect(try OperatorHarness.run("Size", [try .counting(2, 0)])[0], [0], shape: [])
  }

  @Test func theCountIsAnExpression() throws {
    let fact = try OperatorHarness.infer("Size", [ValueFact(.float32, [2, s, 4])])[0]
    #expect(fact.elements == [8 * s])
  }
}
