import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ReshapeTests {
  private func shape(
    _ data: [Dimension]?, _ target: ValueFact, allowzero: Int = 0
  ) throws -> [Dimension]? {
    try OperatorHarness.infer(
      "Reshape", [ValueFact(.float32, data), target], [Attribute("allowzero", .int(allowzero))]
    )[0].shape
  }

  @Test func minusOneTakesWhatIsLeftAndZeroKeepsASize() throws {
    let x = try Tensor.counting(2, 3, 4)
    let y = try OperatorHarness.run("Reshape", [x, .int64(0, -1, 2)])[0]
    expect(y, Array(0..<24), shape: [2, 6, 2])
    #expect(y.storage === x.storage)
  }

  @Test func aTransposedOperandIsSplitWithoutACopyAndMergedWithOne() throws {
    let x = try Tensor.counting(4, 6).scattered().transposed([1, 0])
    let split = try OperatorHarness.run("Reshape", [x, .int64(2, 3, 4)])[0]
    #expect(split.storage === x.storage)
    #expect(split.integers() == x.integers())
    let strided = try Tensor.counting(4, 6).transposed([1, 0])
    let merged = try OperatorHarness.run("Reshape", [strided, .int64(24)])[0]
    #expect(merged.storage !== strided.storage)
    #expect(merged.integers() == strided.integers())
  }

  @Test func withAllowzeroAZeroIsASize() throws {
    let x = try Tensor.counting(0, 3)
    let y = try OperatorHarness.run(
      "Reshape", [x, .int64(5, 0)], [Attribute("allowzero", .int(1))])[0]
    #expect(y.shape.dimensions == [5, 0])
    #expect(try shape([0, 3], .int64(5, 0), allowzero: 1) == [5, 0])
  }

  @Test func symbolsCancelExactly() throws {
    #expect(try shape([1, s, 8, 4], .sizes(0, 0, -1)) == [1, s, 32])
    #expect(try shape([2, s, 32], .sizes(-1, 32)) == [2 * s, 32])
    #expect(try shape([2, s * t, 32], .sizes(2, -1, t, 32)) == [2, s, t, 32])
    #expect(try shape([s + 3, t, 6], .sizes(-1, 2, t)) == [3 * s + 9, 2, t])
    #expect(try shape([4, 2 * s, 2], .sizes(8, -1)) == [8, 2 * s])
  }

  @Test func whatDoesNotDivideIsOneOpaqueSymbol() throws {
    #expect(try shape([s], .sizes(-1, 4)) == [Dimension(symbol: "floor((s)/(4))"), 4])
  }

  @Test func aTargetKnownOnlyByItsLengthGivesTheRank() throws {
    let result = try shape([2, 3], ValueFact(.int64, [3]))
    #expect(result?.count == 3)
    #expect(Set(result ?? []).count == 3)
    #expect(try shape(nil, .sizes(2, -1, 0))?.first == 2)
  }

  @Test func knownElementsStayKnown() throws {
    let fact = try OperatorHarness.infer("Reshape", [.sizes(s), .int64(1, 1)])[0]
    #expect(fact.elements == [s])
  }

  @Test func impossibleTargetsAreRefused() throws {
    let x = try Tensor.counting(2, 3)
    expectRefusal("Reshape", [x, .int64(4, 2)])
    expectRefusal("Reshape", [x, .int64(-1, 4)])
    expectRefusal("Reshape", [x, .int64(-1, -1)])
    expectRefusal("Reshape", [x, .int64(-2, 3)])
    expectRefusal("Reshape", [x, .int64(2, 3, 0)])
    expectRefusal("Reshape", [try .counting(0, 3), .int64(0, -1)])
    #expect(OperatorHarness.refusal("Reshape", [ValueFact(.float32, [6]), .int64(4)]) != nil)
  }
}
