import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ExpTests {
  @Test func knownExponentials() throws {
    try checkUnary(
      "Exp",
      [
        (-3, 0.0497870684), (-1.5, 0.22313016), (-0.75, 0.472366553), (-0.1, 0.904837417), (0, 1),
        (0.3, 1.34985882), (1, 2.71828183), (2.5, 12.182494), (-80, 1.80485139e-35),
        (15, 3269017.37),
      ])
  }

  @Test func integersAreRefused() {
    let refusal = OperatorHarness.refusal("Exp", [ValueFact(.int64, [2])])
    #expect(refusal?.message == "operand 0 is int64, floating-point numbers are expected")
  }
}
