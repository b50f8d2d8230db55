import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ReciprocalTests {
  @Test func knownReciprocals() throws {
    try checkUnary(
      "Reciprocal",
      [
        (-4, -0.25), (-0.5, -2), (0.25, 4), (3, 0.333333333),
      ])
  }

  @Test func zeroGivesInfinity() throws {
    let result = try OperatorHarness.run(
      "Reciprocal", [try Tensor.of([0, .infinity] as [Float], 2)])
    expectClose(result[0], [.infinity, 0])
  }

  @Test func integersAreRefused() {
    let refusal = OperatorHarness.refusal("Reciprocal", [ValueFact(.int64, [2])])
    #expect(refusal?.message == "operand 0 is int64, floating-point numbers are expected")
  }
}
