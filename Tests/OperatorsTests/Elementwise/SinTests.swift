import GraphIR
import Operators
import Tensors
import Testing

@Suite struct SinTests {
  @Test func knownSines() throws {
    try checkUnary(
      "Sin",
      [
        (-3, -0.141120008), (-1.5, -0.997494987), (-0.75, -0.68163876), (-0.1, -0.0998334181),
        (0, 0),
        (0.3, 0.295520218), (1, 0.841470985), (2.5, 0.598472144), (100, -0.506365641),
        (1.57079633, 1),
      ])
  }

  @Test func integersAreRefused() {
    let refusal = OperatorHarness.refusal("Sin", [ValueFact(.int64, [2])])
    #expect(refusal?.message == "operand 0 is int64, floating-point numbers are expected")
  }
}
