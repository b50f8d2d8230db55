import GraphIR
import Operators
import Tensors
import Testing

@Suite struct OrTests {
  @Test func theTruthTableHolds() throws {
    try checkBinary(
      "Or", [true, true, false, false, true, false], [true, false, false],
      [true, true, false, true, true, false])
  }

  @Test func numbersAreRefused() {
    let number = ValueFact(.int64, [1])
    let refusal = OperatorHarness.refusal("Or", [number, number])
    #expect(refusal?.message == "operand 0 is int64, truth values are expected")
  }

  @Test func oneKnownOperandMayDecide() throws {
    let unknown = Dimension(symbol: "maybe")
    let fact = try OperatorHarness.infer(
      "Or",
      [
        ValueFact(.bool, [1], elements: [unknown]),
        ValueFact(.bool, [1], elements: [1]),
      ])
    #expect(fact[0].elements == [1])
  }
}
