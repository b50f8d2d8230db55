import GraphIR
import Operators
import Tensors
import Testing

@Suite struct NegTests {
  @Test func signsAreTurned() throws {
    try checkUnary(
      "Neg",
      [
        (-3, 3), (-1.5, 1.5), (-0.75, 0.75), (-0.1, 0.100000001), (0, -0), (0.3, -0.300000012),
        (1, -1), (2.5, -2.5),
      ])
  }

  @Test(arguments: [DataType.int64, .int32]) func integersKeepTheirType(type: DataType) throws {
    let numbers = [-5, 0, 7]
    let x =
      type == .int64
      ? try Tensor.of(numbers.map { Int64($0) }, 3) : try Tensor.of(numbers.map { Int32($0) }, 3)
    let y = try OperatorHarness.run("Neg", [x])[0]
    #expect(y.dataType == type)
    #expect(y.integers() == [5, 0, -7])
  }

  @Test func sizesAreFollowed() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer("Neg", [ValueFact(.int64, [2], elements: [size, -4])])
    #expect(fact[0].elements == [0 - size, 4])
  }
}
