import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ReduceProdTests {
  @Test func productsAgreeWithLoopsInDoublePrecision() throws {
    try checkReduction("ReduceProd") { $0.reduce(1, *) }
  }

  @Test func integersKeepTheirType() throws {
    let x = try Tensor.of([5, 2, -1, 9, 4, -3] as [Int64], 2, 3)
    let rows = try OperatorHarness.run(
      "ReduceProd", [x, try Tensor.of([1] as [Int64], 1)], [Attribute("keepdims", .int(0))])
    #expect(rows[0].dataType == .int64)
    #expect(rows[0].integers() == [-10, -108])
    let all = try OperatorHarness.run("ReduceProd", [x])
    #expect(all[0].shape.dimensions == [1, 1])
    #expect(all[0].integers() == [1080])
  }

  @Test func sizesAreFollowed() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "ReduceProd", [ValueFact(.int64, [3], elements: [size, 2, 5])])
    #expect(fact[0].elements == [10 * size])
  }
}
