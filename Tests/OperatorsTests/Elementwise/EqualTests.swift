import GraphIR
import Operators
import Tensors
import Testing

@Suite struct EqualTests {
  @Test func floatsAreCompared() throws {
    try checkBinary(
      "Equal", [-3, 1.5, 4, 4, 2.25, -0.5] as [Float], [2, 1.5, 4] as [Float],
      [false, true, true, false, false, false])
  }

  @Test func integersAreCompared() throws {
    try checkBinary(
      "Equal", [-7, -3, 5, 9, -2, 4] as [Int64], [2, -3, 4] as [Int64],
      [false, true, false, false, false, true])
  }

  @Test func besideNaNNothingHolds() throws {
    let nan = try Tensor.of([.nan, 1] as [Float], 2)
    let result = try OperatorHarness.run(
      "Equal", [nan, try Tensor.of([.nan, .nan] as [Float], 2)])
    #expect(result[0].elements(as: Bool.self) == [false, false])
  }

  @Test func aComparisonOfSizesIsDecidedWhereItCanBe() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "Equal",
      [
        ValueFact(.int64, [1], elements: [4]),
        ValueFact(.int64, [1], elements: [4]),
      ])
    #expect(fact[0].elements == [1])
    let open = try OperatorHarness.infer(
      "Equal",
      [ValueFact(.int64, [1], elements: [size]), ValueFact(.int64, [1], elements: [7])])
    #expect(open[0].elements == nil)
  }

  @Test func truthValuesAreCompared() throws {
    try checkBinary(
      "Equal", [true, true, false, false, true, false], [true, false, false],
      [true, false, true, false, false, true])
  }

  @Test func sizesThatCannotBeEqualAreKnownToDiffer() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "Equal",
      [
        ValueFact(.int64, [2], elements: [size, size]),
        ValueFact(.int64, [2], elements: [-1, -1]),
      ])
    #expect(fact[0].elements == [0, 0])
  }
}
