import GraphIR
import Operators
import Tensors
import Testing

@Suite struct LayerNormalizationTests {
  @Test func rowsAreNormalisedScaledAndShifted() throws {
    let x = try Tensor.pattern(2, 3, 5, scale: 3)
    let scale = try Tensor.pattern(5, seed: 2)
    let bias = try Tensor.pattern(5, seed: 3)
    let expected = normalised(x.floats, length: 5, epsilon: 1e-5) { index in
      (Double(scale.floats[index]), Double(bias.floats[index]))
    }
    for view in [x, try x.scattered()] {
      let result = try OperatorHarness.run("LayerNormalization", [view, scale, bias])
      expectClose(result[0], expected, shape: [2, 3, 5], tolerance: 2e-6)
    }
  }

  @Test func severalAxesAreOneRowWithoutBias() throws {
    let x = try Tensor.pattern(2, 3, 5, seed: 4)
    let scale = try Tensor.pattern(3, 5, seed: 5)
    let expected = normalised(x.floats, length: 15, epsilon: 0.25) { index in
      (Double(scale.floats[index]), 0)
    }
    for axis in [1, -2] {
      let result = try OperatorHarness.run(
        "LayerNormalization", [x, scale],
        [Attribute("axis", .int(axis)), Attribute("epsilon", .float(0.25))])
      expectClose(result[0], expected, shape: [2, 3, 5], tolerance: 2e-6)
    }
  }

  @Test func valuesFarFromZeroKeepTheirPrecision() throws {
    let x = try Tensor.of([10_000, 10_001, 10_002, 10_003] as [Float], 1, 4)
    let ones = try Tensor.of([1, 1, 1, 1] as [Float], 4)
    let result = try OperatorHarness.run("LayerNormalization", [x, ones])
    expectClose(result[0], [-1.3416354, -0.44721180, 0.44721180, 1.3416354])
  }

  @Test func statisticsAreResultsOnRequest() throws {
    let x = try Tensor.of([1, 3, 2, 2] as [Float], 2, 2)
    let ones = try Tensor.of([1, 1] as [Float], 2)
    let results = try OperatorHarness.run(
      "LayerNormalization", [x, ones], [Attribute("epsilon", .float(0.25))], outputCount: 3)
    expectClose(results[1], [2, 2], shape: [2, 1])
    expectClose(results[2], [1 / Float(1.25).squareRoot(), 2], shape: [2, 1])
  }

  @Test func typingKeepsTheShapeAndRefusesWhatDoesNotFit() throws {
    let size = Dimension(symbol: "s")
    let fact = try OperatorHarness.infer(
      "LayerNormalization", [ValueFact(.float32, [1, size, 8]), ValueFact(.float32, [8])])
    #expect(fact[0].shape == [1, size, 8])
    for bad in [ValueFact(.float32, [7]), ValueFact(.float32, [1, 8]), ValueFact(.int64, [8])] {
      let refusal = OperatorHarness.refusal(
        "LayerNormalization", [ValueFact(.float32, [1, size, 8]), bad])
      #expect(refusal?.code == "bad-operands")
    }
    try expectStrictness(
      "LayerNormalization", [ValueFact(.float32, [2, 4]), ValueFact(.float32, [4])])
  }

  private func normalised(
    _ x: [Float], length: Int, epsilon: Double, _ parameters: (Int) -> (Double, Double)
  ) -> [Float] {
    stride(from: 0, to: x.count, by: length).flatMap { start in
      let row = x[start..<start + length].map { Double($0) }
      let mean = row.reduce(0, +) / Double(length)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(length)
      return row.enumerated().map { index, element in
        let (scale, bias) = parameters(index)
        return Float((element - mean) / (variance + epsilon).squareRoot() * scale + bias)
      }
    }
  }
}
