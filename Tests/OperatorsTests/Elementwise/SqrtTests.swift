import GraphIR
import Operators
import Tensors
import Testing

@Suite struct SqrtTests {
  @Test func knownSquareRoots() throws {
    try checkUnary(
      "Sqrt",
      [
        (0.01, 0.0999999989), (0.25, 0.5), (0.5, 0.707106781), (1, 1), (2, 1.41421356),
        (3.75, 1.93649167), (10, 3.16227766), (1000, 31.6227766),
      ])
  }

  @Test func aNegativeNumberGivesNaN() throws {
    let result = try OperatorHarness.run("Sqrt", [try Tensor.of([-1, 0] as [Float], 2)])
    expectClose(result[0], [.nan, 0])
  }

  @Test func integersAreRefused() {
    let refusal = OperatorHarness.refusal("Sqrt", [ValueFact(.int64, [2])])
    #expect(refusal?.message == "operand 0 is int64, floating-point numbers are expected")
  }
}
