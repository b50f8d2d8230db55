import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ReluTests {
  @Test func negativeNumbersBecomeZero() throws {
    try checkUnary(
      "Relu",
      [
        (-3, 0), (-1.5, 0), (-0.75, 0), (-0.1, 0), (0, 0), (0.3, 0.300000012), (1, 1), (2.5, 2.5),
      ])
  }

  @Test(arguments: [DataType.int64, .int32]) func integersKeepTheirType(type: DataType) throws {
    let numbers = [-5, 0, 7]
    let x =
      type == .int64
      ? try Tensor.of(numbers.map { Int64($0) }, 3) : try Tensor.of(numbers.map { Int32($0) }, 3)
    let y = try OperatorHarness.run("Relu", [x])[0]
    #expect(y.dataType == type)
    #expect(y.integers() == [0, 0, 7])
  }
}
