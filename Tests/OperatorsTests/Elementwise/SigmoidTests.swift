import GraphIR
import Operators
import Tensors
import Testing

@Suite struct SigmoidTests {
  @Test func knownSigmoids() throws {
    try checkUnary(
      "Sigmoid",
      [
        (-3, 0.0474258732), (-1.5, 0.182425524), (-0.75, 0.320821301), (-0.1, 0.475020812),
        (0, 0.5),
        (0.3, 0.57444252), (1, 0.731058579), (2.5, 0.92414182), (-80, 1.80485139e-35), (40, 1),
      ])
  }

  @Test func integersAreRefused() {
    let refusal = OperatorHarness.refusal("Sigmoid", [ValueFact(.int64, [2])])
    #expect(refusal?.message == "operand 0 is int64, floating-point numbers are expected")
  }
}
