import GraphIR
import Operators
import Tensors
import Testing

@Suite struct AndTests {
  @Test func theTruthTableHolds() throws {
    try checkBinary(
      "And", [true, true, false, false, true, false], [true, false, false],
      [true, false, false, false, false, false])
  }

  @Test func numbersAreRefused() {
    let number = ValueFact(.int64, [1])
    let refusal = OperatorHarness.refusal("And", [number, number])
    #expect(refusal?.message == "operand 0 is int64, truth values are expected")
  }

  @Test func oneKnownOperandMayDecide() throws {
    let unknown = Dimension(symbol: "maybe")
    let fact = try OperatorHarness.infer(
      "And",
      [
        ValueFact(.bool, [1], elements: [unknown]),
        ValueFact(.bool, [1], elements: [0]),
      ])
    #expect(fact[0].elements == [0])
  }
}
