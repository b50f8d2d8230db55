import GraphIR
import Operators
import Tensors
import Testing

@Suite struct SplitTests {
  private let last = [Attribute("axis", .int(-1))]

  @Test func givenSizesCutTheAxisIntoViews() throws {
    let x = try Tensor.counting(2, 6)
    let parts = try OperatorHarness.run(
      "Split", [x, .int64(1, 3, 2)], last, outputCount: 3, symbolic: false)
    expect(parts[0], [0, 6], shape: [2, 1])
    expect(parts[1], [1, 2, 3, 7, 8, 9], shape: [2, 3])
    expect(parts[2], [4, 5, 10, 11], shape: [2, 2])
    #expect(parts.allSatisfy { $0.storage === x.storage })
  }

  @Test func theLastOfEqualPartsMayBeSmaller() throws {
    let parts = try OperatorHarness.run(
      "Split", [try .counting(7)], [Attribute("num_outputs", .int(3))], outputCount: 3)
    #expect(parts.map { $0.integers() } == [[0, 1, 2], [3, 4, 5], [6]])
    expectRefusal("Split", [try .counting(7)], opset: 13, outputCount: 3)
  }

  @Test func olderModelsWriteTheSizesAsAnAttribute() throws {
    let parts = try OperatorHarness.run(
      "Split", [try .counting(3)], [Attribute("split", .ints([2, 1]))], opset: 11, outputCount: 2,
      symbolic: false)
    #expect(parts.map { $0.integers() } == [[0, 1], [2]])
  }

  @Test func symbolicAxesDivide() throws {
    let data = ValueFact(.float32, [1, 6 * s])
    let facts = try OperatorHarness.infer("Split", [data], last, outputCount: 3)
    #expect(facts.map(\.shape) == [[1, 2 * s], [1, 2 * s], [1, 2 * s]])
    let given = try OperatorHarness.infer("Split", [data, .sizes(s, 5 * s)], last, outputCount: 2)
    #expect(given.map(\.shape) == [[1, s], [1, 5 * s]])
    let elements = try OperatorHarness.infer("Split", [.sizes(s, 2, t)], outputCount: 2)
    #expect(elements.map(\.elements) == [[s, 2], [t]])
  }

  @Test func sizesThatDoNotAddUpAreRefused() throws {
    expectRefusal("Split", [try .counting(4), .int64(1, 2)], outputCount: 2)
    expectRefusal("Split", [try .counting(4), .int64(5, -1)], outputCount: 2)
    expectRefusal("Split", [try .counting(4), .int64(4)], outputCount: 2)
    expectRefusal(
      "Split", [try .counting(4)], [Attribute("num_outputs", .int(3))], outputCount: 2)
  }
}
