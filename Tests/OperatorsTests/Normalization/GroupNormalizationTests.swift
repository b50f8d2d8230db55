import GraphIR
import Operators
import Tensors
import Testing

@Suite struct GroupNormalizationTests {
  private let two = [Attribute("num_groups", .int(2))]

  @Test func fromOpset21OnEveryChannelHasItsScale() throws {
    let scale = try Tensor.of([1, 2, -1, 0.5] as [Float], 4)
    let bias = try Tensor.of([0, 1, 0, 2] as [Float], 4)
    for view in [try operand(), try operand().scattered()] {
      let result = try OperatorHarness.run(
        "GroupNormalization", [view, scale, bias], two, opset: 21)
      expectClose(
        result[0],
        [
          -0.27734968, 0.27734968, 3.7734969, -1.7734969, 0.29002070, 1.4501036, 2.6283782,
          2.2416840,
        ], shape: [1, 4, 2])
    }
  }

  @Test func beforeThatEveryGroup() throws {
    let scale = try Tensor.of([1, 2] as [Float], 2)
    let bias = try Tensor.of([0, 1] as [Float], 2)
    let result = try OperatorHarness.run(
      "GroupNormalization", [try operand(), scale, bias], two, opset: 18)
    expectClose(
      result[0],
      [
        -0.27734968, 0.27734968, 1.3867484, -1.3867484, 0.41995859, -1.9002073, 3.5135128,
        1.9667357,
      ], shape: [1, 4, 2])
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let size = Dimension(symbol: "s")
    let (x, four) = (ValueFact(.float32, [size, 4, size]), ValueFact(.float32, [4]))
    let fact = try OperatorHarness.infer("GroupNormalization", [x, four, four], two, opset: 21)
    #expect(fact[0].shape == [size, 4, size])
    for (inputs, groups) in [
      ([x, four, ValueFact(.float32, [2])], 2), ([x, four, four], 3), ([x, four, four], 0),
      ([ValueFact(.float32, [4]), four, four], 2),
    ] {
      let attributes = [Attribute("num_groups", .int(groups))]
      let refusal = OperatorHarness.refusal("GroupNormalization", inputs, attributes, opset: 21)
      #expect(refusal?.code == "bad-operands")
    }
    try expectStrictness("GroupNormalization", [x, four, four], two, opset: 21)
  }

  private func operand() throws -> Tensor {
    try Tensor.of([1, 2, 4, -1, 3, 0, 7, 5] as [Float], 1, 4, 2)
  }
}
