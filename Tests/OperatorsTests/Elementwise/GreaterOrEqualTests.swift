import GraphIR
import Operators
import Tensors
import Testing

@Suite struct GreaterOrEqualTests {
  @Test func floatsAreCompared() throws {
    try checkBinary(
      "GreaterOrEqual", [-3, 1.5, 4, 4, 2.25, -0.5] as [Float], [2, 1.5, 4] as [Float],
      [false, true, true, true, true, false])
  }

  @Test func integersAreCompared() throws {
    try checkBinary(
      "GreaterOrEqual", [-7, -3, 5, 9, -2, 4] as [Int64], [2, -3, 4] as [Int64],
      [false, true, true, true, true, true])
  }

  @Test func besideNaNNothingHolds() throws {
    let nan = try Tensor.of([.nan, 1] as [Float], 2)
    let result = try OperatorHarness.run(
      "GreaterOrEqual", [nan, try Tensor.of([.nan, .nan] as [Float], 2)])
    #expect(result[0].elements(as: Bool.self) == [false, false])
  }

  @Test func aComparisonOfSizesIsDecidedWhereItCanBe() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "GreaterOrEqual",
      [
        ValueFact(.int64, [1], elements: [size]),
        ValueFact(.int64, [1], elements: [0]),
      ])
    #expect(fact[0].elements == [1])
    let open = try OperatorHarness.infer(
      "GreaterOrEqual",
      [ValueFact(.int64, [1], elements: [size]), ValueFact(.int64, [1], elements: [7])])
    #expect(open[0].elements == nil)
  }
}
