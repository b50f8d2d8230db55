import GraphIR
import Operators
import Tensors
import Testing

@Suite struct MaxTests {
  @Test func theLargestOfTwoBroadcasts() throws {
    try checkBinary(
      "Max", [-3, 1.5, 0, 4, 2.25, -0.5] as [Float], [2, -0.5, 4] as [Float],
      [2, 1.5, 4, 4, 2.25, 4] as [Float])
    try checkBinary(
      "Max", [-7, 0, 5, 9, -2, 12] as [Int64], [2, -3, 4] as [Int64],
      [2, 0, 5, 9, -2, 12] as [Int64])
  }

  @Test func threeOperandsBroadcastTogether() throws {
    let result = try OperatorHarness.run(
      "Max",
      [
        try Tensor.of([-3, 1.5, 0, 4, 2.25, -0.5] as [Float], 2, 3),
        try Tensor.of([2, -0.5, 4] as [Float], 3),
        try Tensor.of([1, -1] as [Float], 2, 1),
      ])
    expectClose(result[0], [2, 1.5, 4, 4, 2.25, 4] as [Float], shape: [2, 3])
  }

  @Test func oneOperandIsHandedOn() throws {
    let x = try Tensor.of([1, 2] as [Float], 2)
    let result = try OperatorHarness.run("Max", [x])[0]
    #expect(result.storage === x.storage)
  }

  @Test func aNaNOnEitherSideWins() throws {
    let result = try OperatorHarness.run(
      "Max", [try Tensor.of([.nan, 1] as [Float], 2), try Tensor.of([2, .nan] as [Float], 2)])
    #expect(result[0].floats.allSatisfy { $0.isNaN })
  }

  @Test func sizesAreFollowed() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "Max",
      [
        ValueFact(.int64, [2], elements: [size, 3]), ValueFact(.int64, [], elements: [0]),
      ])
    #expect(fact[0].elements == [size, 3])
  }
}
