import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ConcatFromSequenceTests {
  @Test func elementsAreJoinedAlongAnAxisOrANewOne() throws {
    let parts = [try Tensor.of([1, 2] as [Float], 1, 2), try Tensor.of([3, 4] as [Float], 1, 2)]
    let sequence = RuntimeValue.sequence(parts.map { .tensor($0) })
    for (axis, isNew, shape) in [(0, 0, [2, 2]), (-1, 0, [1, 4]), (0, 1, [2, 1, 2])] {
      let attributes = [Attribute("axis", .int(axis)), Attribute("new_axis", .int(isNew))]
      let result = try OperatorHarness.runValues("ConcatFromSequence", [sequence], attributes)[0]
      expectClose(try result.tensor(), [1, 2, 3, 4], shape: shape)
    }
    #expect(throws: OperatorError.self) {
      try OperatorHarness.runValues(
        "ConcatFromSequence", [.sequence([])], [Attribute("axis", .int(0))])
    }
  }
}
