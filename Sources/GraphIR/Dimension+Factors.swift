extension Dimension {
  /// The factors of one product, in order.
  ///
  /// A factor is a symbol, a quotient `floor((a)/(b))`, or text in parentheses that nobody
  /// understands.
  struct Factors: Hashable {
    private(set) var names: [String] = []

    /// The empty product.
    init() {}

    /// The factors of a term's symbol.
    init(of symbol: String) {
      let parts = Self.split(symbol)
      names = parts.allSatisfy(Self.isFactor) ? parts : ["(\(symbol))"]
    }

    /// The name of the product; text in parentheses that stands alone goes without them.
    var text: String {
      names.count == 1 ? Self.unwrapped(names[0]) : names.joined(separator: "*")
    }

    /// The text inside a factor that is nothing but parentheses around it.
    static func unwrapped(_ factor: String) -> String {
      isEnclosed(factor[...]) ? String(factor.dropFirst().dropLast()) : factor
    }

    /// The product with another one.
    func times(_ other: Factors) -> Factors {
      var result = self
      result.names = (names + other.names).sorted()
      return result
    }

    /// The product without the factors of another one, or nil when it lacks one of them.
    func without(_ other: Factors) -> Factors? {
      var result = self
      for name in other.names {
        guard let index = result.names.firstIndex(of: name) else { return nil }
        result.names.remove(at: index)
      }
      return result
    }

    /// Whether a product comes before another when polynomials are divided: degree, then names
    /// (graded lexicographic order, which multiplication preserves).
    func leads(_ other: Factors) -> Bool {
      if names.count != other.names.count { return names.count > other.names.count }
      return names.lexicographicallyPrecedes(other.names)
    }

    /// The symbols in a factor: itself, or those inside a quotient.
    static func symbols(of factor: String) -> [String] {
      if let (dividend, divisor) = quotient(factor) { return dividend.symbols + divisor.symbols }
      return [unwrapped(factor)]
    }

    /// The two sides of `floor((a)/(b))`.
    static func quotient(_ factor: String) -> (dividend: Dimension, divisor: Dimension)? {
      guard factor.hasPrefix("floor("), let parsed = Dimension.quotientSides(of: factor) else {
        return nil
      }
      return parsed
    }

    private static func isFactor(_ text: String) -> Bool {
      text.isIdentifier || isEnclosed(text[...])
        || text.hasPrefix("floor((") && isEnclosed(text.dropFirst("floor".count))
    }

    /// True when the first character is a parenthesis that closes with the last one.
    private static func isEnclosed(_ text: Substring) -> Bool {
      guard text.first == "(" else { return false }
      var depth = 0
      for (position, character) in text.enumerated() {
        if character == "(" { depth += 1 }
        if character == ")" { depth -= 1 }
        if depth == 0 { return position == text.count - 1 }
      }
      return false
    }

    private static func split(_ text: String) -> [String] {
      var parts: [String] = []
      var part = ""
      var depth = 0
      for character in text {
        if character == "(" { depth += 1 }
        if character == ")" { depth -= 1 }
        if character == "*", depth == 0 {
          parts.append(part)
          part = ""
        } else {
          part.append(character)
        }
      }
      return parts + [part]
    }
  }
}

extension StringProtocol {
  /// A name as exporters give to sizes: a letter, then letters, digits and `_ . / : -`.
  var isIdentifier: Bool {
    (first?.startsIdentifier ?? false) && allSatisfy(\.continuesIdentifier)
  }
}

extension Character {
  var startsIdentifier: Bool { isLetter || self == "_" }
  var continuesIdentifier: Bool { isLetter || isNumber || "_./:-".contains(self) }
}
