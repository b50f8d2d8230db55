import GraphIR
import Operators
import Tensors
import Testing

@Suite struct LeakyReluTests {
  @Test func negativeNumbersAreScaledByAHundredth() throws {
    try checkUnary("LeakyRelu", [(-2, -0.02), (-0.5, -0.005), (0, 0), (3, 3)])
  }

  @Test func alphaIsTheFactor() throws {
    try checkUnary(
      "LeakyRelu", [(-2, -0.5), (-0.5, -0.125), (0, 0), (3, 3)],
      [Attribute("alpha", .float(0.25))])
  }

  @Test func aNaNStaysNaN() throws {
    let result = try OperatorHarness.run("LeakyRelu", [try Tensor.of([.nan] as [Float], 1)])
    #expect(result[0].floats[0].isNaN)
  }
}
