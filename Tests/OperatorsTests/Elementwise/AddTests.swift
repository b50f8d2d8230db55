import GraphIR
import Operators
import Tensors
import Testing

@Suite struct AddTests {
  @Test func theSumOfFloatsBroadcasts() throws {
    try checkBinary(
      "Add", [-3, 1.5, 0, 4, 2.25, -0.5] as [Float], [2, -0.5, 4] as [Float],
      [-1, 1, 4, 6, 1.75, 3.5] as [Float])
  }

  @Test func integersAreAdded() throws {
    try checkBinary(
      "Add", [-7, 0, 5, 9, -2, 12] as [Int64], [2, -3, 4] as [Int64],
      [-5, -3, 9, 11, -5, 16] as [Int64])
  }

  @Test func sizesAreFollowed() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "Add",
      [
        ValueFact(.int64, [2], elements: [size, 3]), ValueFact(.int64, [2], elements: [2, size]),
      ])
    #expect(fact[0].elements == [size + 2, size + 3])
  }

  @Test func aNumberThatWouldWrapAroundIsNotFollowed() throws {
    let large = try Tensor.of([Int32.max], 1)
    let other = try Tensor.of([1 as Int32], 1)
    let fact = try OperatorHarness.infer(
      "Add", [ValueFact(constant: large), ValueFact(constant: other)])
    #expect(fact[0].elements == nil)
  }
}
