import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ReduceL1Tests {
  @Test func sumsOfMagnitudesAgreeWithLoopsInDoublePrecision() throws {
    try checkReduction("ReduceL1") { $0.reduce(0) { $0 + $1.magnitude } }
  }

  @Test func integersKeepTheirType() throws {
    let x = try Tensor.of([5, 2, -1, 9, 4, -3] as [Int64], 2, 3)
    let rows = try OperatorHarness.run(
      "ReduceL1", [x, try Tensor.of([1] as [Int64], 1)], [Attribute("keepdims", .int(0))])
    #expect(rows[0].dataType == .int64)
    #expect(rows[0].integers() == [8, 16])
    let all = try OperatorHarness.run("ReduceL1", [x])
    #expect(all[0].shape.dimensions == [1, 1])
    #expect(all[0].integers() == [24])
  }
}
