import GraphIR
import Operators
import Tensors
import Testing

@Suite struct CosTests {
  @Test func knownCosines() throws {
    try checkUnary(
      "Cos",
      [
        (-3, -0.989992497), (-1.5, 0.0707372017), (-0.75, 0.731688869), (-0.1, 0.995004165), (0, 1),
        (0.3, 0.955336486), (1, 0.540302306), (2.5, -0.801143616), (100, 0.862318872),
        (3.14159265, -1),
      ])
  }

  @Test func integersAreRefused() {
    let refusal = OperatorHarness.refusal("Cos", [ValueFact(.int64, [2])])
    #expect(refusal?.message == "operand 0 is int64, floating-point numbers are expected")
  }
}
