import GraphIR
import Operators
import Tensors
import Testing

@Suite struct CeilTests {
  @Test func numbersAreRoundedUp() throws {
    try checkUnary(
      "Ceil",
      [
        (-1.5, -1), (-0.5, 0), (0, 0), (0.1, 1), (1, 1), (2.999, 3),
      ])
  }

  @Test func integersAreRefused() {
    let refusal = OperatorHarness.refusal("Ceil", [ValueFact(.int64, [2])])
    #expect(refusal?.message == "operand 0 is int64, floating-point numbers are expected")
  }
}
