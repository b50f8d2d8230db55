import GraphIR
import Operators
import Tensors
import Testing

@Suite struct FloorTests {
  @Test func numbersAreRoundedDown() throws {
    try checkUnary(
      "Floor",
      [
        (-1.5, -2), (-0.5, -1), (0, 0), (0.1, 0), (1, 1), (2.999, 2),
      ])
  }

  @Test func integersAreRefused() {
    let refusal = OperatorHarness.refusal("Floor", [ValueFact(.int64, [2])])
    #expect(refusal?.message == "operand 0 is int64, floating-point numbers are expected")
  }
}
