import GraphIR
import Operators
import Tensors
import Testing

@Suite struct SoftplusTests {
  @Test func knownValuesOfSoftplus() throws {
    try checkUnary(
      "Softplus",
      [
        (-3, 0.0485873516), (-1.5, 0.201413278), (-0.75, 0.386871006), (-0.1, 0.644396659),
        (0, 0.693147181), (0.3, 0.854355251), (1, 1.31326169), (2.5, 2.57888973),
        (-50, 1.92874985e-22), (80, 80),
      ])
  }

  @Test func integersAreRefused() {
    let refusal = OperatorHarness.refusal("Softplus", [ValueFact(.int64, [2])])
    #expect(refusal?.message == "operand 0 is int64, floating-point numbers are expected")
  }
}
