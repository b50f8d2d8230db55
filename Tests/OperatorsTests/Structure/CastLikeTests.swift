import GraphIR
import Operators
import Tensors
import Testing

@Suite struct CastLikeTests {
  @Test func theSecondOperandGivesTheType() throws {
    let y = try OperatorHarness.run(
      "CastLike", [Tensor([2.7, -2.7] as [Float]), Tensor(scalar: Int64(0))])[0]
    #expect(y.elements() == [2, -2] as [Int64])
  }

  @Test func anUnknownTypeStaysUnknown() throws {
    let facts = try OperatorHarness.infer("CastLike", [.sizes(s), ValueFact(nil, [])])
    #expect(facts[0].type == .tensor(nil, [1]))
    #expect(facts[0].elements == nil)
  }
}
