import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ModTests {
  private static let fmod = [Attribute("fmod", .int(1))]

  @Test func integersTakeTheSignOfTheDivisor() throws {
    try checkBinary(
      "Mod", [-7, 7, -8, 5, -5, 9] as [Int64], [3, -3, 4] as [Int64],
      [2, -2, 0, 2, -2, 1] as [Int64])
  }

  @Test func withFmodTheyTakeTheSignOfTheDividend() throws {
    try checkBinary(
      "Mod", [-7, 7, -8, 5, -5, 9] as [Int64], [3, -3, 4] as [Int64],
      [-1, 1, 0, 2, -2, 1] as [Int64], Self.fmod)
    try checkBinary(
      "Mod", [-5.5, 5.5, -1, 7.25, -0.5, 3] as [Float], [2, -2, 3] as [Float],
      [-1.5, 1.5, -1, 1.25, -0.5, 0] as [Float], Self.fmod)
  }

  @Test func floatsNeedFmod() {
    let fact = ValueFact(.float32, [2])
    #expect(OperatorHarness.refusal("Mod", [fact, fact])?.code == "bad-operands")
  }

  @Test func theRemainderByZeroIsAnError() throws {
    #expect(throws: OperatorError.self) {
      try OperatorHarness.run(
        "Mod", [try Tensor.of([1] as [Int64], 1), try Tensor.of([0] as [Int64], 1)])
    }
  }

  @Test func sizesAreFollowed() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "Mod",
      [
        ValueFact(.int64, [2], elements: [size + size, -7]),
        ValueFact(.int64, [], elements: [2]),
      ])
    #expect(fact[0].elements == [0, 1])
  }
}
