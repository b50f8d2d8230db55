import GraphIR
import Operators
import Tensors
import Testing

@Suite struct LessTests {
  @Test func floatsAreCompared() throws {
    try checkBinary(
      "Less", [-3, 1.5, 4, 4, 2.25, -0.5] as [Float], [2, 1.5, 4] as [Float],
      [true, false, false, false, false, true])
  }

  @Test func integersAreCompared() throws {
    try checkBinary(
      "Less", [-7, -3, 5, 9, -2, 4] as [Int64], [2, -3, 4] as [Int64],
      [true, false, false, false, false, false])
  }

  @Test func besideNaNNothingHolds() throws {
    let nan = try Tensor.of([.nan, 1] as [Float], 2)
    let result = try OperatorHarness.run("Less", [nan, try Tensor.of([.nan, .nan] as [Float], 2)])
    #expect(result[0].elements(as: Bool.self) == [false, false])
  }

  @Test func aComparisonOfSizesIsDecidedWhereItCanBe() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "Less",
      [
        ValueFact(.int64, [1], elements: [4]),
        ValueFact(.int64, [1], elements: [size + 5]),
      ])
    #expect(fact[0].elements == [1])
    let open = try OperatorHarness.infer(
      "Less",
      [ValueFact(.int64, [1], elements: [size]), ValueFact(.int64, [1], elements: [7])])
    #expect(open[0].elements == nil)
  }
}
