import GraphIR
import Operators
import Tensors
import Testing

@Suite struct SignTests {
  @Test func signsOfNumbers() throws {
    try checkUnary(
      "Sign",
      [
        (-3, -1), (0, 0), (0.1, 1), (.infinity, 1),
      ])
  }

  @Test(arguments: [DataType.int64, .int32]) func integersKeepTheirType(type: DataType) throws {
    let numbers = [-5, 0, 7]
    let x =
      type == .int64
      ? try Tensor.of(numbers.map { Int64($0) }, 3) : try Tensor.of(numbers.map { Int32($0) }, 3)
    let y = try OperatorHarness.run("Sign", [x])[0]
    #expect(y.dataType == type)
    #expect(y.integers() == [-1, 0, 1])
  }
}
