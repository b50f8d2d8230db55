import GraphIR
import Operators
import Tensors
import Testing

@Suite struct CumSumTests {
  @Test(arguments: [
    (false, false, [1, 3, 6, 4, 9, 15]), (false, true, [6, 5, 3, 15, 11, 6]),
    (true, false, [0, 1, 3, 0, 4, 9]), (true, true, [5, 3, 0, 11, 6, 0]),
  ])
  func sumsRunFromEitherEnd(isExclusive: Bool, isReversed: Bool, expected: [Int]) throws {
    let attributes = [
      Attribute("exclusive", .int(isExclusive ? 1 : 0)),
      Attribute("reverse", .int(isReversed ? 1 : 0)),
    ]
    let axis = try Tensor.of([1] as [Int64])
    let floats = try Tensor.of([1, 2, 3, 4, 5, 6] as [Float], 2, 3)
    for view in [floats, try floats.scattered()] {
      let result = try OperatorHarness.run("CumSum", [view, axis], attributes)
      expectClose(result[0], expected.map { Float($0) }, shape: [2, 3])
    }
    let integers = try Tensor.of([1, 2, 3, 4, 5, 6] as [Int64], 2, 3)
    let result = try OperatorHarness.run("CumSum", [integers, axis], attributes)
    #expect(result[0].integers() == expected)
  }

  @Test func theAxisCountsFromEitherEnd() throws {
    let x = try Tensor.of([1, 2, 3, 4, 5, 6] as [Float], 2, 3)
    for axis in [0, -2] as [Int32] {
      let result = try OperatorHarness.run("CumSum", [x, try Tensor.of([axis])])
      expectClose(result[0], [1, 2, 3, 5, 7, 9])
    }
  }

  @Test func anAxisOutsideIsRefused() throws {
    let axis = ValueFact(constant: try Tensor.of([2] as [Int64]))
    let fact = ValueFact(.float32, [2, 3])
    #expect(OperatorHarness.refusal("CumSum", [fact, axis])?.code == "bad-operands")
    try expectStrictness("CumSum", [fact, ValueFact(.int64, [])])
  }
}
