import GraphIR
import Operators
import Tensors
import Testing

@Suite struct SubTests {
  @Test func theDifferenceOfFloatsBroadcasts() throws {
    try checkBinary(
      "Sub", [-3, 1.5, 0, 4, 2.25, -0.5] as [Float], [2, -0.5, 4] as [Float],
      [-5, 2, -4, 2, 2.75, -4.5] as [Float])
  }

  @Test func integersAreSubtracted() throws {
    try checkBinary(
      "Sub", [-7, 0, 5, 9, -2, 12] as [Int64], [2, -3, 4] as [Int64],
      [-9, 3, 1, 7, 1, 8] as [Int64])
  }

  @Test func sizesAreFollowed() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "Sub",
      [
        ValueFact(.int64, [2], elements: [size, 3]), ValueFact(.int64, [2], elements: [2, 5]),
      ])
    #expect(fact[0].elements == [size - 2, -2])
  }

  @Test func aNumberThatWouldWrapAroundIsNotFollowed() throws {
    let large = try Tensor.of([Int32.min], 1)
    let other = try Tensor.of([1 as Int32], 1)
    let fact = try OperatorHarness.infer(
      "Sub", [ValueFact(constant: large), ValueFact(constant: other)])
    #expect(fact[0].elements == nil)
  }
}
