import GraphIR
import Operators
import Tensors
import Testing

@Suite struct GreaterTests {
  @Test func floatsAreCompared() throws {
    try checkBinary(
      "Greater", [-3, 1.5, 4, 4, 2.25, -0.5] as [Float], [2, 1.5, 4] as [Float],
      [false, false, false, true, true, false])
  }

  @Test func integersAreCompared() throws {
    try checkBinary(
      "Greater", [-7, -3, 5, 9, -2, 4] as [Int64], [2, -3, 4] as [Int64],
      [false, false, true, true, true, false])
  }

  @Test func besideNaNNothingHolds() throws {
    let nan = try Tensor.of([.nan, 1] as [Float], 2)
    let result = try OperatorHarness.run(
      "Greater", [nan, try Tensor.of([.nan, .nan] as [Float], 2)])
    #expect(result[0].elements(as: Bool.self) == [false, false])
  }

  @Test func aComparisonOfSizesIsDecidedWhereItCanBe() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "Greater",
      [
        ValueFact(.int64, [1], elements: [size + 2]),
        ValueFact(.int64, [1], elements: [size + 3]),
      ])
    #expect(fact[0].elements == [0])
    let open = try OperatorHarness.infer(
      "Greater",
      [ValueFact(.int64, [1], elements: [size]), ValueFact(.int64, [1], elements: [7])])
    #expect(open[0].elements == nil)
  }
}
