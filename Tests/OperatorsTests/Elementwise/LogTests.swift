import GraphIR
import Operators
import Tensors
import Testing

@Suite struct LogTests {
  @Test func knownLogarithms() throws {
    try checkUnary(
      "Log",
      [
        (0.01, -4.60517021), (0.25, -1.38629436), (0.5, -0.693147181), (1, 0), (2, 0.693147181),
        (3.75, 1.32175584), (10, 2.30258509), (1000, 6.90775528),
      ])
  }

  @Test func zeroGivesMinusInfinityAndANegativeNumberNaN() throws {
    let result = try OperatorHarness.run("Log", [try Tensor.of([0, -1] as [Float], 2)])
    expectClose(result[0], [-.infinity, .nan])
  }

  @Test func integersAreRefused() {
    let refusal = OperatorHarness.refusal("Log", [ValueFact(.int64, [2])])
    #expect(refusal?.message == "operand 0 is int64, floating-point numbers are expected")
  }
}
