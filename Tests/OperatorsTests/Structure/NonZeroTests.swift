import GraphIR
import Operators
import Tensors
import Testing

@Suite struct NonZeroTests {
  @Test func everyColumnIsAnIndexTuple() throws {
    let x = try Tensor.of([1, 0, 3, 0, 5, 0] as [Float], 2, 3)
    expect(try OperatorHarness.run("NonZero", [x])[0], [0, 0, 1, 0, 2, 1], shape: [2, 3])
    let flipped = x.transposed([1, 0])
    expect(try OperatorHarness.run("NonZero", [flipped])[0], [0, 1, 2, 0, 1, 0], shape: [2, 3])
  }

  @Test func onlyTheRankIsKnownBeforehand() throws {
    let fact = try OperatorHarness.infer("NonZero", [ValueFact(.bool, [s, 4])])[0]
    #expect(fact.shape?.first == 2)
    #expect(fact.shape?.last?.value == nil)
  }
}
