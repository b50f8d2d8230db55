import GraphIR
import Operators
import Tensors
import Testing

@Suite struct MulTests {
  @Test func theProductOfFloatsBroadcasts() throws {
    try checkBinary(
      "Mul", [-3, 1.5, 0, 4, 2.25, -0.5] as [Float], [2, -0.5, 4] as [Float],
      [-6, -0.75, 0, 8, -1.125, -2] as [Float])
  }

  @Test func integersAreMultiplied() throws {
    try checkBinary(
      "Mul", [-7, 0, 5, 9, -2, 12] as [Int64], [2, -3, 4] as [Int64],
      [-14, 0, 20, 18, 6, 48] as [Int64])
  }

  @Test func sizesAreFollowed() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "Mul",
      [
        ValueFact(.int64, [2], elements: [size, 3]), ValueFact(.int64, [2], elements: [2, size]),
      ])
    #expect(fact[0].elements == [size + size, size + size + size])
  }

  @Test func aNumberThatWouldWrapAroundIsNotFollowed() throws {
    let large = try Tensor.of([Int32.max], 1)
    let other = try Tensor.of([2 as Int32], 1)
    let fact = try OperatorHarness.infer(
      "Mul", [ValueFact(constant: large), ValueFact(constant: other)])
    #expect(fact[0].elements == nil)
  }
}
