import GraphIR
import Operators
import Tensors
import Testing

@Suite struct SequenceEraseTests {
  @Test func anElementGoesFromAnyPlace() throws {
    let sequence = RuntimeValue.sequence((0..<3).map { .tensor(Tensor(scalar: Int64($0))) })
    for (index, expected) in [(nil, [0, 1]), (0, [1, 2]), (-2, [0, 2])] as [(Int64?, [Int64])] {
      let position = index.map { RuntimeValue.tensor(Tensor(scalar: $0)) }
      let result = try OperatorHarness.runValues(
        "SequenceErase", [sequence] + (position == nil ? [] : [position]))[0]
      guard case .sequence(let elements) = result else {
        Issue.record("the result is no sequence")
        continue
      }
      #expect(try elements.map { try $0.tensor().elements(as: Int64.self)[0] } == expected)
    }
    #expect(throws: OperatorError.self) {
      try OperatorHarness.runValues(
        "SequenceErase", [sequence, .tensor(Tensor(scalar: Int64(3)))])
    }
  }
}
