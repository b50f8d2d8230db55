import Testing

/// Functions of the language as operators, beside what NumPy 2.3 makes of the same numbers.
@Suite("Functions as operators") struct FunctionLoweringTests {
  @Test(
    "numbers made of tensors",
    arguments: [
      ("mean(input)", -0.03333333), ("sum(input)", -1), ("largest(input)", 0.94),
      ("relative_l1(input, k)", 1.07277557), ("relative_l2(input, k)", 1.18763113),
      ("l1(input, k)", 0.67316667), ("cosine_distance(input, k)", 0.84105821),
      ("poly(mean(input), [2, -3, 0.5])", 0.60222222),
      ("mean(downsample(input, 2))", -0.03333333), ("mean(drop_first(input, 2))", 0.03),
      ("mean(drop_last(input, 2))", -0.09666667), ("mean(clip(input, -0.5, 0.25))", -0.091),
      ("mean(min(input, k))", -0.30033333), ("mean(max(input, k))", 0.37283333),
      ("round(mean(input) * 10)", 0), ("floor(mean(input) * 10)", -1),
      ("ceil(mean(input) * 10)", 0), ("sqrt(largest(input))", 0.96953597),
      ("exp(mean(input))", 0.96721610), ("log(largest(input))", -0.06187541),
      ("abs(mean(input))", 0.03333333), ("timestep", 500),
    ])
  func numbers(_ expression: String, _ expected: Float) throws {
    let values = try RebuiltCall.value(of: expression)
    #expect(values.count == 30)
    #expect(values.allSatisfy { abs($0 - expected) <= 2e-6 * max(1, abs(expected)) })
  }

  /// Rows of the low band of `input`: numpy.fft.fft2, the mask of `low_frequencies`, ifft2.
  private static let bands: [(expression: String, rows: [Float])] = [
    (
      "low_frequencies(input, 2)",
      [
        -0.443895, -0.200281, -0.051052, -0.009438, 0.014948, -0.270281, -0.473614, -0.043895,
        0.198386, 0.146948, -0.014771, -0.393052, -0.166667, 0.22751, 0.226176, -0.033333,
        -0.15951, -0.294176, 0.140281, 0.326386, 0.081438, -0.213614, -0.131719, -0.022771,
        0.110562, 0.203614, 0.051719, -0.057229, 0.117719, 0.133614,
      ]
    ),
    (
      "low_frequencies(input, 3)",
      [
        -0.163333, -0.028, 0.038667, -0.03, -0.165333, -0.232, -0.202475, -0.067142, -0.000475,
        -0.069142, -0.204475, -0.271142, -0.1, 0.035333, 0.102, 0.033333, -0.102, -0.168667,
        0.002475, 0.137809, 0.204475, 0.135809, 0.000475, -0.066191, -0.036667, 0.098667,
        0.165333, 0.096667, -0.038667, -0.105333,
      ]
    ),
  ]

  @Test("the low band of a tensor, of odd and even size", arguments: 0..<2)
  func band(_ number: Int) throws {
    let (expression, rows) = Self.bands[number]
    let own = try RebuiltCall.value(of: expression)
    #expect(own.count == rows.count)
    for (a, b) in zip(own, rows) { #expect(abs(a - b) <= 2e-6) }
  }

  @Test("the low band and what is left of a tensor are the whole tensor")
  func wholeBand() throws {
    let sum = try RebuiltCall.value(
      of: "low_frequencies(input, 2) + (input - low_frequencies(input, 2))")
    for (a, b) in zip(sum, RebuiltCall.input) { #expect(abs(a - b) <= 1e-6) }
  }
}
