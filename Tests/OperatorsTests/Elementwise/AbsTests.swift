import GraphIR
import Operators
import Tensors
import Testing

@Suite struct AbsTests {
  @Test func magnitudesAreTaken() throws {
    try checkUnary(
      "Abs",
      [
        (-3, 3), (-0, 0), (2.5, 2.5), (-.infinity, .infinity),
      ])
  }

  @Test(arguments: [DataType.int64, .int32]) func integersKeepTheirType(type: DataType) throws {
    let numbers = [-5, 0, 7]
    let x =
      type == .int64
      ? try Tensor.of(numbers.map { Int64($0) }, 3) : try Tensor.of(numbers.map { Int32($0) }, 3)
    let y = try OperatorHarness.run("Abs", [x])[0]
    #expect(y.dataType == type)
    #expect(y.integers() == [5, 0, 7])
  }

  @Test func sizesAreFollowed() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer("Abs", [ValueFact(.int64, [2], elements: [size, -4])])
    #expect(fact[0].elements == [size, 4])
  }
}
