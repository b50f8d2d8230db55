import GraphIR
import Operators
import Tensors
import Testing

@Suite struct XorTests {
  @Test func theTruthTableHolds() throws {
    try checkBinary(
      "Xor", [true, true, false, false, true, false], [true, false, false],
      [false, true, false, true, true, false])
  }

  @Test func numbersAreRefused() {
    let number = ValueFact(.int64, [1])
    let refusal = OperatorHarness.refusal("Xor", [number, number])
    #expect(refusal?.message == "operand 0 is int64, truth values are expected")
  }
}
