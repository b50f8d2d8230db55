extension Dimension {
  /// Reads what exporters write into `dim_param`: sums, differences, products, powers by numbers
  /// and floor divisions, such as `2*s25`, `s1 - 4`, `(s31**2)//s31`, `floor(s1/2)`; other text is
  /// one opaque symbol.
  public init(parsing text: String) {
    var parser = Parser(text)
    self = parser.parse() ?? Dimension(symbol: text)
  }

  /// The two sides of text of the form `floor(a/b)`.
  static func quotientSides(of text: String) -> (dividend: Dimension, divisor: Dimension)? {
    var parser = Parser(text)
    return parser.parseQuotient()
  }

  /// The expression with symbols replaced by their sizes; others stay.
  public func substituting(_ sizes: [String: Int]) -> Dimension {
    if terms.isEmpty || sizes.isEmpty { return self }
    var result = Dimension(constant)
    for term in terms {
      var product = Dimension(term.coefficient)
      if let size = sizes[term.symbol] {
        product = product * Dimension(size)
      } else {
        for factor in Factors(of: term.symbol).names {
          product = product * Self.substituting(sizes, in: factor)
        }
      }
      result = result + product
    }
    return result
  }

  private static func substituting(_ sizes: [String: Int], in factor: String) -> Dimension {
    if let size = sizes[factor] { return Dimension(size) }
    if let (dividend, divisor) = Factors.quotient(factor) {
      let quotient = dividend.substituting(sizes)
        .floorDivided(by: divisor.substituting(sizes))
      if let quotient { return quotient }
    }
    return Dimension(symbol: Factors.unwrapped(factor))
  }
}

/// A parser of size expressions; anything it does not know makes the whole text opaque.
private struct Parser {
  private let text: [Character]
  private var position = 0
  private var depth = 0

  private static let maximumDepth = 32
  private static let maximumLength = 1024
  private static let maximumPower = 8

  init(_ text: String) {
    self.text = Array(text)
  }

  mutating func parse() -> Dimension? {
    guard text.count <= Self.maximumLength, let result = sum(), peek() == nil else { return nil }
    return result
  }

  mutating func parseQuotient() -> (dividend: Dimension, divisor: Dimension)? {
    guard take("floor("), let sides = sides(), take(")"), peek() == nil else { return nil }
    return sides
  }

  private mutating func sum() -> Dimension? {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth, var result = product() else { return nil }
    while true {
      if take("+") {
        guard let next = product() else { return nil }
        result = result + next
      } else if take("-") {
        guard let next = product() else { return nil }
        result = result - next
      } else {
        return result
      }
    }
  }

  private mutating func product() -> Dimension? {
    guard var result = power() else { return nil }
    while true {
      if take("//") {
        guard let next = power(), let quotient = result.floorDivided(by: next) else { return nil }
        result = quotient
      } else if take("*") {
        guard let next = power() else { return nil }
        result = result * next
      } else {
        return result
      }
    }
  }

  private mutating func power() -> Dimension? {
    guard let base = atom() else { return nil }
    guard take("**") else { return base }
    guard let exponent = number(), (1...Self.maximumPower).contains(exponent) else { return nil }
    return (1..<exponent).reduce(base) { product, _ in product * base }
  }

  private mutating func atom() -> Dimension? {
    if take("floor(") {
      guard let sides = sides(), take(")") else { return nil }
      return sides.dividend.floorDivided(by: sides.divisor)
    }
    if take("(") {
      guard let inner = sum(), take(")") else { return nil }
      return inner
    }
    if let number = number() { return Dimension(number) }
    skipSpaces()
    guard position < text.count, text[position].startsIdentifier else { return nil }
    let start = position
    while position < text.count, text[position].continuesIdentifier {
      if text[position] == "/", position + 1 < text.count, text[position + 1] == "/" { break }
      position += 1
    }
    return Dimension(symbol: String(text[start..<position]))
  }

  /// `a/b`; `a` and `b` are atoms where they are more than one symbol.
  private mutating func sides() -> (dividend: Dimension, divisor: Dimension)? {
    guard let dividend = sideBeforeSlash(), take("/"), let divisor = sum() else { return nil }
    return (dividend, divisor)
  }

  private mutating func sideBeforeSlash() -> Dimension? {
    skipSpaces()
    if position < text.count, text[position] == "(" { return atom() }
    var name = ""
    while position < text.count, text[position] != "/" {
      name.append(text[position])
      position += 1
    }
    var inner = Parser(name)
    inner.depth = depth
    return inner.parse()
  }

  private mutating func number() -> Int? {
    skipSpaces()
    var end = position
    while end < text.count, text[end].isASCII, text[end].isNumber { end += 1 }
    guard end > position, let number = Int(String(text[position..<end])) else { return nil }
    position = end
    return number
  }

  private mutating func take(_ token: String) -> Bool {
    skipSpaces()
    let characters = Array(token)
    guard text.count - position >= characters.count,
      Array(text[position..<(position + characters.count)]) == characters
    else { return false }
    if token == "*", position + 1 < text.count, text[position + 1] == "*" { return false }
    position += characters.count
    return true
  }

  private mutating func peek() -> Character? {
    skipSpaces()
    return position < text.count ? text[position] : nil
  }

  private mutating func skipSpaces() {
    while position < text.count, text[position] == " " { position += 1 }
  }
}
