import GraphIR
import Operators
import Tensors
import Testing

@Suite struct RMSNormalizationTests {
  @Test func rowsAreDividedByTheirRootMeanSquare() throws {
    let x = try Tensor.pattern(2, 3, 4, scale: 3)
    let scale = try Tensor.pattern(4, seed: 2)
    let expected = stride(from: 0, to: 24, by: 4).flatMap { start in
      let row = x.floats[start..<start + 4].map { Double($0) }
      let mean = row.reduce(0) { $0 + $1 * $1 } / 4
      return row.enumerated().map { index, element in
        Float(element / (mean + 1e-6).squareRoot() * Double(scale.floats[index]))
      }
    }
    for view in [x, try x.scattered()] {
      let result = try OperatorHarness.run(
        "RMSNormalization", [view, scale],
        [Attribute("axis", .int(-1)), Attribute("epsilon", .float(1e-6))], opset: 23)
      expectClose(result[0], expected, shape: [2, 3, 4], tolerance: 2e-6)
    }
  }

  @Test func aRowOfKnownNumbers() throws {
    let result = try OperatorHarness.run(
      "RMSNormalization",
      [try Tensor.of([3, 4, 0, 0] as [Float], 2, 2), try Tensor.of([1, 10] as [Float], 2)],
      [Attribute("epsilon", .float(0.5))], opset: 24)
    expectClose(result[0], [0.8320503, 11.094004, 0, 0], shape: [2, 2])
  }

  @Test func typingAndRefusals() throws {
    let inputs = [ValueFact(.float32, [Dimension(symbol: "s"), 8]), ValueFact(.float32, [8])]
    let fact = try OperatorHarness.infer("RMSNormalization", inputs, opset: 23)
    #expect(fact[0].shape == [Dimension(symbol: "s"), 8])
    #expect(OperatorHarness.refusal("RMSNormalization", inputs, opset: 22) != nil)
    let double = OperatorHarness.refusal(
      "RMSNormalization", inputs, [Attribute("stash_type", .int(11))], opset: 23)
    #expect(double?.category == .unsupported)
    try expectStrictness("RMSNormalization", inputs, opset: 23)
  }
}
