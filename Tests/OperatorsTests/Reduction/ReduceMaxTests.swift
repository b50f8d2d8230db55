import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ReduceMaxTests {
  @Test func theLargestElementRemains() throws {
    try checkReduction("ReduceMax") { $0.max() ?? 0 }
  }

  @Test func integersKeepTheirType() throws {
    let x = try Tensor.of([5, 2, -1, 9, 4, -3] as [Int64], 2, 3)
    let rows = try OperatorHarness.run(
      "ReduceMax", [x, try Tensor.of([1] as [Int64], 1)], [Attribute("keepdims", .int(0))])
    #expect(rows[0].dataType == .int64)
    #expect(rows[0].integers() == [5, 9])
    let all = try OperatorHarness.run("ReduceMax", [x])
    #expect(all[0].shape.dimensions == [1, 1])
    #expect(all[0].integers() == [9])
  }

  @Test func aNaNStaysVisible() throws {
    let x = try Tensor.of([1, .nan, 3] as [Float], 3)
    let result = try OperatorHarness.run("ReduceMax", [x])
    #expect(result[0].floats[0].isNaN)
  }
}
