import Diffusion
import Tensors
import Testing

@Suite("GaussianNoise") struct GaussianNoiseTests {
  private func numbers(_ seed: UInt64, _ count: Int) -> [Float] {
    var noise = GaussianNoise(seed: seed)
    return noise.tensor(.vector(count)).elements(as: Float.self)
  }

  @Test(
    "a seed always gives the same numbers",
    arguments: [
      (0, [-0.4527577, 0.2077660, 2.6506058, -0.4904228, -0.9886041]),
      (1, [-0.0282497, -1.0656176, -0.2279195, 0.0830942, 0.1030910]),
      (18446744073709551615, [0.4038982, -0.2471699, -1.5578115, 0.7785845, 0.3776197]),
    ] as [(UInt64, [Float])])
  func golden(seed: UInt64, expected: [Float]) {
    let actual = numbers(seed, expected.count)
    for (number, wanted) in zip(actual, expected) { #expect(abs(number - wanted) <= 1e-6) }
    #expect(numbers(seed, expected.count) == actual)
  }

  @Test("a longer tensor begins like a shorter one, odd counts included")
  func prefix() {
    #expect(Array(numbers(5, 1000).prefix(7)) == numbers(5, 7))
    #expect(numbers(5, 0).isEmpty)
  }

  @Test("seeds differ, and one generator goes on")
  func different() {
    #expect(numbers(1, 8) != numbers(2, 8))
    var noise = GaussianNoise(seed: 1)
    let first = noise.tensor(.vector(8)).elements(as: Float.self)
    #expect(first != noise.tensor(.vector(8)).elements(as: Float.self))
  }

  @Test("the numbers are finite, with mean 0, variance 1 and the tails of a normal distribution")
  func distribution() {
    let count = 200_000
    let sample = numbers(42, count).map(Double.init)
    let mean = sample.reduce(0, +) / Double(count)
    let variance = sample.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
    let inside = Double(sample.filter { abs($0) < 1 }.count) / Double(count)
    let isFinite = sample.allSatisfy(\.isFinite)
    #expect(isFinite)
    // Five standard errors: 5/√n for the mean, 5·√(2/n) for the variance.
    #expect(abs(mean) < 0.0112)
    #expect(abs(variance - 1) < 0.0159)
    #expect(abs(inside - 0.682_689) < 0.0053)
  }
}
