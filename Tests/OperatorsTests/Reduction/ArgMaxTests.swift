import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ArgMaxTests {
  private let x: [Float] = [1, 5, 5, 2, -1, -1, -3, .infinity, 0]

  @Test func theFirstAxisIsTheDefault() throws {
    let operand = try Tensor.of(x, 3, 3)
    for view in [operand, try operand.scattered()] {
      let result = try OperatorHarness.run("ArgMax", [view])[0]
      #expect(result.shape.dimensions == [1, 3])
      #expect(result.integers() == [1, 2, 0])
    }
  }

  @Test func ofEqualElementsTheFirstOrTheLastIsTaken() throws {
    let attributes = [Attribute("axis", .int(-1)), Attribute("keepdims", .int(0))]
    let operand = try Tensor.of(x, 3, 3)
    let first = try OperatorHarness.run("ArgMax", [operand], attributes)[0]
    #expect(first.shape.dimensions == [3])
    #expect(first.integers() == [1, 0, 1])
    let last = try OperatorHarness.run(
      "ArgMax", [operand], attributes + [Attribute("select_last_index", .int(1))])[0]
    #expect(last.integers() == [2, 0, 1])
  }

  @Test func integersAndNaNAreSearched() throws {
    let integers = try OperatorHarness.run("ArgMax", [try Tensor.of([3, 9, -4] as [Int64], 3)])
    #expect(integers[0].integers() == [1])
    let nan = try OperatorHarness.run(
      "ArgMax", [try Tensor.of([1, .nan, .infinity] as [Float], 3)])
    #expect(nan[0].integers() == [1])
  }

  @Test func typingAndRefusals() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "ArgMax", [ValueFact(.float32, [size, 3])], [Attribute("axis", .int(1))])
    #expect(fact[0].shape == [size, 1])
    #expect(fact[0].dataType == .int64)
    for shape in [[0, 3], []] as [[Dimension]] {
      #expect(OperatorHarness.refusal("ArgMax", [ValueFact(.float32, shape)]) != nil)
    }
    try expectStrictness("ArgMax", [ValueFact(.float32, [2])])
  }
}
