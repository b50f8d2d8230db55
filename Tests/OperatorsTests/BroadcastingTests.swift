import GraphIR
import Operators
import Tensors
import Testing

/// Broadcasting of symbolic shapes, seen through `Where`.
@Suite struct BroadcastingTests {
  private func broadcast(_ a: [Dimension]?, _ b: [Dimension]?) throws -> [Dimension]? {
    try OperatorHarness.infer(
      "Where", [ValueFact(.bool, []), ValueFact(.float32, a), ValueFact(.float32, b)])[0].shape
  }

  @Test func onesGiveWayAndRanksAreFilledFromTheLeft() throws {
    #expect(try broadcast([1, s, 1], [t]) == [1, s, t])
    #expect(try broadcast([2, 3], []) == [2, 3])
    #expect(try broadcast([0], [1]) == [0])
  }

  @Test func aNumberWinsOverASymbolAndTheFirstOfTwoSymbolsStays() throws {
    #expect(try broadcast([s], [8]) == [8])
    #expect(try broadcast([8], [s]) == [8])
    #expect(try broadcast([s], [t]) == [s])
  }

  @Test func anUnknownRankStaysUnknown() throws {
    #expect(try broadcast(nil, [2]) == nil)
  }

  @Test func differentNumbersAreRefused() {
    #expect(throws: OperatorError.self) { try broadcast([2, 3], [4]) }
  }
}
