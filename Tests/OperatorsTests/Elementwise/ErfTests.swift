import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ErfTests {
  @Test func knownValuesOfTheErrorFunction() throws {
    try checkUnary(
      "Erf",
      [
        (-3, -0.99997791), (-1.5, -0.966105146), (-0.75, -0.711155634), (-0.1, -0.112462918),
        (0, 0),
        (0.3, 0.328626772), (1, 0.842700793), (2.5, 0.999593048), (4, 0.999999985), (-6, -1),
      ])
  }

  @Test func integersAreRefused() {
    let refusal = OperatorHarness.refusal("Erf", [ValueFact(.int64, [2])])
    #expect(refusal?.message == "operand 0 is int64, floating-point numbers are expected")
  }
}
