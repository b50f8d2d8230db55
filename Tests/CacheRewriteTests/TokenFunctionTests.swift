import Testing

/// Functions of tokens as operators, beside the same on arrays.
@Suite("Functions of tokens as operators") struct TokenFunctionTests {
  private static let tokens = RebuiltCall.tokens
  private static let width = RebuiltCall.width
  private static let input = RebuiltCall.input
  private static let kept = RebuiltCall.kept

  private static func row(_ array: [Float], _ token: Int) -> [Float] {
    Array(array[token * width..<(token + 1) * width])
  }

  /// Tokens from the largest norm down.
  private var byNorm: [Int] {
    let norms = (0..<Self.tokens).map { token in
      Self.row(Self.input, token).reduce(0) { $0 + $1 * $1 }
    }
    return (0..<Self.tokens).sorted { norms[$0] > norms[$1] }
  }

  @Test("scatter puts rows in place of the tokens of the largest norm", arguments: [1, 2, 4, 5])
  func largestNorms(_ count: Int) throws {
    let part = Double(count) / 5 + 0.01
    let choice = "top_k(norm(input), \(part))"
    let result = try RebuiltCall.value(of: "scatter(input, \(choice), gather(k, \(choice)))")
    let chosen = Set(byNorm.prefix(count))
    for token in 0..<Self.tokens {
      let expected = Self.row(chosen.contains(token) ? Self.kept : Self.input, token)
      #expect(Self.row(result, token) == expected)
    }
  }

  @Test("at least one token is chosen, and the part may follow the step")
  func parts() throws {
    let none = try RebuiltCall.value(
      of: "scatter(input, top_k(norm(input), 0), 2 * gather(input, top_k(norm(input), 0)))")
    #expect(Self.row(none, byNorm[0]) == Self.row(Self.input, byNorm[0]).map { 2 * $0 })
    let later = "top_k(norm(input), step * 0.61)"
    let three = try RebuiltCall.value(of: "scatter(input, \(later), gather(k, \(later)))")
    let changed = (0..<Self.tokens).filter { Self.row(three, $0) != Self.row(Self.input, $0) }
    #expect(changed == byNorm.prefix(3).sorted())
  }

  @Test("a slot per token holds whole numbers")
  func ages() throws {
    let result = try RebuiltCall.value(
      of: "scatter(0 * input, top_k(age, 0.21), gather(k, top_k(age, 0.21)))",
      slots: [
        "slot age per token",
        "age := scatter(3 + 0 * norm(output), top_k(norm(output), 0.21), 7) when computed",
      ])
    let norms = (0..<Self.tokens).map { token in
      Self.row(Self.kept, token).reduce(0) { $0 + $1 * $1 }
    }
    let largest = try #require(norms.indices.max { norms[$0] < norms[$1] })
    for token in 0..<Self.tokens {
      let expected = token == largest ? Self.row(Self.kept, token) : [Float](repeating: 0, count: 6)
      #expect(Self.row(result, token) == expected)
    }
  }

  @Test("noise is the Feistel network that its documentation says")
  func noise() throws {
    var scores: [Int] = []
    for token in 0..<Self.tokens {
      var (a, b) = (token / 2039 % 2039, token % 2039)
      for round in 0..<4 {
        let mixed = (b + 1543 + 17 + 1009 * round) % 2039
        (a, b) = (b, (a + mixed * mixed % 2039 * mixed) % 2039)
      }
      scores.append(a * 2039 + b)
    }
    let result = try RebuiltCall.value(of: "0 * input + noise(input, 17)")
    for token in 0..<Self.tokens {
      let expected = Float(scores[token]) / Float(2039 * 2039)
      #expect(Self.row(result, token).allSatisfy { abs($0 - expected) <= 1e-7 })
    }
    #expect(Set(scores).count == Self.tokens)
  }

  @Test("the representatives of as many clusters as tokens are the tokens")
  func clusters() throws {
    let cluster = "clusters(input, 5, 3)"
    let result = try RebuiltCall.value(
      of: "gather(input, representatives(\(cluster), 5, norm(input)))")
    #expect(result == Self.input)
    let spread = "gather(gather(input, representatives(\(cluster), 5, norm(input))), \(cluster))"
    #expect(try RebuiltCall.value(of: spread) == Self.input)
  }

  @Test("unit divides each channel by its norm along the tokens, and nothing by nothing is nothing")
  func unit() throws {
    let result = try RebuiltCall.value(of: "unit(input)")
    for channel in 0..<Self.width {
      let column = (0..<Self.tokens).map { Self.row(Self.input, $0)[channel] }
      let norm = column.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for token in 0..<Self.tokens {
        #expect(abs(Self.row(result, token)[channel] - column[token] / norm) <= 1e-6)
      }
    }
    #expect(try RebuiltCall.value(of: "unit(0 * input)").allSatisfy { $0 == 0 })
  }
}
