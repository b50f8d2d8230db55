import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ReduceSumSquareTests {
  @Test func sumsOfSquaresAgreeWithLoopsInDoublePrecision() throws {
    try checkReduction("ReduceSumSquare") { $0.reduce(0) { $0 + $1 * $1 } }
  }

  @Test func integersKeepTheirType() throws {
    let x = try Tensor.of([5, 2, -1, 9, 4, -3] as [Int64], 2, 3)
    let rows = try OperatorHarness.run(
      "ReduceSumSquare", [x, try Tensor.of([1] as [Int64], 1)], [Attribute("keepdims", .int(0))])
    #expect(rows[0].dataType == .int64)
    #expect(rows[0].integers() == [30, 106])
    let all = try OperatorHarness.run("ReduceSumSquare", [x])
    #expect(all[0].shape.dimensions == [1, 1])
    #expect(all[0].integers() == [136])
  }
}
