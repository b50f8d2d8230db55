import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ReduceSumTests {
  @Test func sumsAgreeWithLoopsInDoublePrecision() throws {
    try checkReduction("ReduceSum", operandSince: 13) { $0.reduce(0, +) }
  }

  @Test func integersKeepTheirType() throws {
    let x = try Tensor.of([5, 2, -1, 9, 4, -3] as [Int64], 2, 3)
    let rows = try OperatorHarness.run(
      "ReduceSum", [x, try Tensor.of([1] as [Int64], 1)], [Attribute("keepdims", .int(0))])
    #expect(rows[0].dataType == .int64)
    #expect(rows[0].integers() == [6, 10])
    let all = try OperatorHarness.run("ReduceSum", [x])
    #expect(all[0].shape.dimensions == [1, 1])
    #expect(all[0].integers() == [16])
  }

  @Test func sizesAreFollowed() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "ReduceSum", [ValueFact(.int64, [3], elements: [size, 2, 5])])
    #expect(fact[0].elements == [size + 7])
  }
}
