import GraphIR
import Operators
import Tensors
import Testing

@Suite struct PowTests {
  @Test func floatsAreRaised() throws {
    let base = try Tensor.of([1, 4, 2, 0.25, 9, -3] as [Float], 2, 3)
    let exponent = try Tensor.of([-1, 0.5, 3] as [Float], 3)
    for view in [base, try base.scattered()] {
      let result = try OperatorHarness.run("Pow", [view, exponent])
      expectClose(
        result[0], [1, 2, 8, 4, 3, -27] as [Float], shape: [2, 3])
    }
  }

  @Test func squaresAreExact() throws {
    let x = try Tensor.pattern(50)
    let result = try OperatorHarness.run("Pow", [x, try Tensor.of([2] as [Float])])
    #expect(result[0].floats == x.floats.map { $0 * $0 })
  }

  @Test func integersAreRaised() throws {
    let result = try OperatorHarness.run(
      "Pow",
      [try Tensor.of([2, -3, 0, 5] as [Int64], 4), try Tensor.of([10, 3, 0, 1] as [Int64], 4)])
    #expect(result[0].integers() == [1024, -27, 1, 5])
  }

  @Test func theResultHasTheTypeOfTheBase() throws {
    let float = try OperatorHarness.run(
      "Pow", [try Tensor.of([1.5, -2] as [Float], 2), try Tensor.of([2, 3] as [Int64], 2)])
    expectClose(float[0], [2.25, -8])
    let integer = try OperatorHarness.run(
      "Pow", [try Tensor.of([4, 9] as [Int32], 2), try Tensor.of([0.5] as [Float])])
    #expect(integer[0].dataType == .int32)
    #expect(integer[0].integers() == [2, 3])
  }

  @Test func beforeOpset12TypesMustBeEqual() {
    let inputs = [ValueFact(.float32, [2]), ValueFact(.int64, [2])]
    #expect(OperatorHarness.refusal("Pow", inputs, opset: 11)?.code == "bad-operands")
    #expect(OperatorHarness.refusal("Pow", inputs, opset: 12) == nil)
  }

  @Test func shapesBroadcastOrAreRefused() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "Pow", [ValueFact(.float32, [size, 1]), ValueFact(.float32, [3])])
    #expect(fact[0].shape == [size, 3])
    let clash = [ValueFact(.float32, [2]), ValueFact(.float32, [3])]
    #expect(OperatorHarness.refusal("Pow", clash)?.code == "bad-operands")
    try expectStrictness("Pow", [ValueFact(.float32, [2]), ValueFact(.float32, [2])])
  }
}
