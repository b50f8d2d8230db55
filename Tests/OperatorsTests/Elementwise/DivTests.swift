import GraphIR
import Operators
import Tensors
import Testing

@Suite struct DivTests {
  @Test func theQuotientOfFloatsBroadcasts() throws {
    try checkBinary(
      "Div", [-3, 1.5, 0, 4, 2.25, -0.5] as [Float], [2, -0.5, 4] as [Float],
      [-1.5, -3, 0, 2, -4.5, -0.125] as [Float])
  }

  @Test func integersAreDividedTowardsZero() throws {
    try checkBinary(
      "Div", [-7, 0, 5, 9, -2, 12] as [Int64], [2, -3, 4] as [Int64],
      [-3, 0, 1, 4, 0, 3] as [Int64])
  }

  @Test func sizesAreFollowed() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "Div",
      [
        ValueFact(.int64, [2], elements: [size + size, -7]),
        ValueFact(.int64, [2], elements: [2, 2]),
      ])
    #expect(fact[0].elements == [size, -3])
  }

  @Test func anIntegerDividedByZeroIsAnError() throws {
    #expect(throws: OperatorError.self) {
      try OperatorHarness.run(
        "Div", [try Tensor.of([1] as [Int64], 1), try Tensor.of([0] as [Int64], 1)])
    }
  }
}
