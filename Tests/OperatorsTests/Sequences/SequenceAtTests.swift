import GraphIR
import Operators
import Tensors
import Testing

@Suite struct SequenceAtTests {
  private let sequence = RuntimeValue.sequence([
    .tensor(Tensor([Float(1)])), .tensor(Tensor([Float(2)])),
  ])

  private func element(_ index: Int64) throws -> [Float] {
    let values = try OperatorHarness.runValues(
      "SequenceAt", [sequence, .tensor(Tensor(scalar: index))], symbolic: false)
    return try values[0].tensor().elements(as: Float.self)
  }

  @Test func elementsAreCountedFromBothEnds() throws {
    #expect(try element(0) == [1])
    #expect(try element(-1) == [2])
  }

  @Test func elementsPastTheEndAreRefused() {
    #expect(throws: OperatorError.self) { try element(2) }
    #expect(throws: OperatorError.self) { try element(-3) }
  }

  @Test func theTypeIsThatOfTheElements() throws {
    let fact = ValueFact(.sequence(.tensor(.float32, [1, 4])))
    let facts = try OperatorHarness.infer("SequenceAt", [fact, ValueFact(.int64, [])])
    #expect(facts[0].type == .tensor(.float32, [1, 4]))
  }
}
