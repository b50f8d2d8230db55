import GraphIR
import Operators
import Tensors
import Testing

@Suite struct RoundTests {
  @Test func tiesGoToTheEvenNeighbour() throws {
    try checkUnary(
      "Round",
      [
        (-2.5, -2), (-1.5, -2), (-0.4, -0), (0.5, 0), (1.5, 2), (2.6, 3),
      ])
  }

  @Test func integersAreRefused() {
    let refusal = OperatorHarness.refusal("Round", [ValueFact(.int64, [2])])
    #expect(refusal?.message == "operand 0 is int64, floating-point numbers are expected")
  }
}
