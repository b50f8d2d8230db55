import GraphIR
import Operators
import Tensors
import Testing

@Suite struct SplitToSequenceTests {
  private func parts(
    _ inputs: [Tensor], _ attributes: [Attribute] = []
  ) throws -> [Tensor] {
    let values = try OperatorHarness.runValues(
      "SplitToSequence", inputs.map { .tensor($0) }, attributes, symbolic: false)
    guard case .sequence(let elements)? = values.first else { return [] }
    return try elements.map { try $0.tensor() }
  }

  @Test func aScalarCutsEqualPartsAndASmallerLastOne() throws {
    let two = Tensor(scalar: Int64(2))
    let parts = try parts([try .counting(5), two])
    #expect(parts.map { $0.integers() } == [[0, 1], [2, 3], [4]])
  }

  @Test func sizesCutAnAxisIntoViews() throws {
    let x = try Tensor.counting(2, 3)
    let parts = try parts([x, .int64(1, 2)], [Attribute("axis", .int(1))])
    expect(parts[0], [0, 3], shape: [2, 1])
    expect(parts[1], [1, 2, 4, 5], shape: [2, 2])
    #expect(parts.allSatisfy { $0.storage === x.storage })
  }

  @Test func withoutSizesTheAxisMayGo() throws {
    let parts = try parts([try .counting(2, 2)], [Attribute("keepdims", .int(0))])
    expect(parts[1], [2, 3], shape: [2])
  }

  @Test func equalPartsHaveAKnownType() throws {
    let data = ValueFact(.float32, [1, 6, 4])
    let facts = try OperatorHarness.infer(
      "SplitToSequence", [data, ValueFact(constant: Tensor(scalar: Int64(1)))],
      [Attribute("axis", .int(1))])
    #expect(facts[0].type == .sequence(.tensor(.float32, [1, 1, 4])))
  }

  @Test func sizesThatDoNotAddUpAreRefused() throws {
    #expect(throws: OperatorError.self) { try parts([try .counting(4), .int64(1, 2)]) }
    #expect(throws: OperatorError.self) { try parts([try .counting(4), .int64(5, -1)]) }
    #expect(throws: OperatorError.self) {
      try parts([try .counting(4), Tensor(scalar: Int64(0))])
    }
  }
}
