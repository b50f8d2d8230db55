import GraphIR
import Operators
import Tensors
import Testing

@Suite struct InstanceNormalizationTests {
  @Test func everyChannelIsNormalisedByItself() throws {
    let x = try Tensor.of([1, 2, 4, -1, 3, 0, 7, 5] as [Float], 1, 4, 2)
    let scale = try Tensor.of([1, 2, -1, 0.5] as [Float], 4)
    let bias = try Tensor.of([0, 1, 0, 2] as [Float], 4)
    for view in [x, try x.scattered()] {
      let result = try OperatorHarness.run("InstanceNormalization", [view, scale, bias])
      expectClose(
        result[0],
        [
          -0.99997997, 0.99997997, 2.9999986, -0.99999845, -0.99999779, 0.99999779, 2.4999976,
          1.5000025,
        ], shape: [1, 4, 2], tolerance: 2e-6)
    }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let (x, four) = (ValueFact(.float32, [2, 4, 5]), ValueFact(.float32, [4]))
    let bad = [x, four, ValueFact(.float32, [5])]
    #expect(OperatorHarness.refusal("InstanceNormalization", bad)?.code == "bad-operands")
    try expectStrictness("InstanceNormalization", [x, four, four])
  }
}
