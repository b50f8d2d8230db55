import GraphIR
import Operators
import Tensors
import Testing

@Suite struct TanhTests {
  @Test func knownTangents() throws {
    try checkUnary(
      "Tanh",
      [
        (-3, -0.995054754), (-1.5, -0.905148254), (-0.75, -0.635148952), (-0.1, -0.0996679961),
        (0, 0), (0.3, 0.291312623), (1, 0.761594156), (2.5, 0.986614298), (9, 0.99999997),
        (-20, -1),
      ])
  }

  @Test func integersAreRefused() {
    let refusal = OperatorHarness.refusal("Tanh", [ValueFact(.int64, [2])])
    #expect(refusal?.message == "operand 0 is int64, floating-point numbers are expected")
  }
}
