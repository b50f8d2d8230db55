/// The size of one axis: a linear expression over symbols, such as `2*s25 + 1`.
///
/// Anything that is not linear is one opaque symbol whose name is the canonical text of the
/// expression, so equal expressions still compare equal.
public struct Dimension: Hashable, Sendable {
  /// A symbol times a number.
  public struct Term: Hashable, Sendable {
    /// The symbol's name.
    public let symbol: String
    /// Never zero.
    public let coefficient: Int
  }

  /// The part without symbols.
  public let constant: Int

  /// The other parts, ordered by symbol.
  public let terms: [Term]

  /// A known size.
  public init(_ constant: Int) {
    self.constant = constant
    terms = []
  }

  /// An unknown size with a name.
  public init(symbol: String) {
    constant = 0
    terms = [Term(symbol: symbol, coefficient: 1)]
  }

  private init(constant: Int, coefficients: [String: Int]) {
    self.constant = constant
    terms = coefficients.filter { $0.value != 0 }.sorted { $0.key < $1.key }
      .map { Term(symbol: $0.key, coefficient: $0.value) }
  }

  /// The size when it is known.
  public var value: Int? { terms.isEmpty ? constant : nil }

  /// The names of all symbols.
  public var symbols: [String] { terms.map(\.symbol) }

  /// The sum; an opaque symbol when a number does not fit.
  public static func + (a: Dimension, b: Dimension) -> Dimension {
    combine(a, b, scale: 1) ?? opaque("(\(a)) + (\(b))")
  }

  /// The difference; an opaque symbol when a number does not fit.
  public static func - (a: Dimension, b: Dimension) -> Dimension {
    combine(a, b, scale: -1) ?? opaque("(\(a)) - (\(b))")
  }

  /// The product; an opaque symbol unless one factor is known.
  public static func * (a: Dimension, b: Dimension) -> Dimension {
    if let number = a.value, let scaled = b.scaled(by: number) { return scaled }
    if let number = b.value, let scaled = a.scaled(by: number) { return scaled }
    return opaqueProduct(a, b)
  }

  /// The quotient rounded towards minus infinity, or nil for a division by zero.
  public func floorDivided(by divisor: Dimension) -> Dimension? {
    if divisor.value == 0 { return nil }
    if self == divisor { return Dimension(1) }
    if let number = divisor.value {
      if let own = value, let quotient = Self.floorQuotient(own, number) {
        return Dimension(quotient)
      }
      if number > 0, terms.allSatisfy({ $0.coefficient % number == 0 }),
        let rest = Self.floorQuotient(constant, number)
      {
        return Dimension(
          constant: rest,
          coefficients: Dictionary(
            uniqueKeysWithValues: terms.map { ($0.symbol, $0.coefficient / number) }))
      }
    }
    if let quotient = quotientOfProducts(by: divisor) { return quotient }
    return Self.opaque("floor((\(self))/(\(divisor)))")
  }

  /// The size with symbols replaced by numbers; nil while a symbol has none.
  public func evaluated(with bindings: [String: Int]) -> Int? {
    var result = constant
    for term in terms {
      guard let size = bindings[term.symbol] else { return nil }
      let (product, overflow) = size.multipliedReportingOverflow(by: term.coefficient)
      let (sum, overflow2) = result.addingReportingOverflow(product)
      if overflow || overflow2 { return nil }
      result = sum
    }
    return result
  }

  /// Nil when the quotient does not fit.
  private static func floorQuotient(_ a: Int, _ b: Int) -> Int? {
    let (quotient, overflow) = a.dividedReportingOverflow(by: b)
    if overflow { return nil }
    return quotient * b != a && (a < 0) != (b < 0) ? quotient - 1 : quotient
  }

  private func scaled(by number: Int) -> Dimension? {
    let (product, overflow) = constant.multipliedReportingOverflow(by: number)
    if overflow { return nil }
    var coefficients: [String: Int] = [:]
    for term in terms {
      let (scaled, overflow) = term.coefficient.multipliedReportingOverflow(by: number)
      if overflow { return nil }
      coefficients[term.symbol] = scaled
    }
    return Dimension(constant: product, coefficients: coefficients)
  }

  private static func combine(_ a: Dimension, _ b: Dimension, scale: Int) -> Dimension? {
    guard let b = b.scaled(by: scale) else { return nil }
    let (constant, overflow) = a.constant.addingReportingOverflow(b.constant)
    if overflow { return nil }
    var coefficients = Dictionary(uniqueKeysWithValues: a.terms.map { ($0.symbol, $0.coefficient) })
    for term in b.terms {
      let (sum, overflow) = coefficients[term.symbol, default: 0]
        .addingReportingOverflow(term.coefficient)
      if overflow { return nil }
      coefficients[term.symbol] = sum
    }
    return Dimension(constant: constant, coefficients: coefficients)
  }

  private static func opaque(_ text: String) -> Dimension { Dimension(symbol: text) }
}

extension Dimension {
  /// A product kept as sorted factors, so that `a*b` and `b*a` are the same symbol.
  fileprivate static func opaqueProduct(_ a: Dimension, _ b: Dimension) -> Dimension {
    let (factorsA, scaleA) = a.factors
    let (factorsB, scaleB) = b.factors
    let text = (factorsA + factorsB).sorted().joined(separator: "*")
    let (scale, overflow) = scaleA.multipliedReportingOverflow(by: scaleB)
    if overflow { return Dimension(symbol: "(\(a))*(\(b))") }
    return Dimension(constant: 0, coefficients: [text: scale])
  }

  /// `2*s1*s2` as (["s1", "s2"], 2); a sum is one parenthesised factor.
  fileprivate var factors: (names: [String], scale: Int) {
    guard constant == 0, terms.count == 1 else { return (["(\(self))"], 1) }
    return (Self.splitProduct(terms[0].symbol), terms[0].coefficient)
  }

  fileprivate static func splitProduct(_ text: String) -> [String] {
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

  /// The quotient when every factor of the divisor cancels.
  fileprivate func quotientOfProducts(by divisor: Dimension) -> Dimension? {
    guard constant == 0, terms.count == 1 else { return nil }
    var (names, scale) = factors
    let (others, otherScale) = divisor.value.map { ([], $0) } ?? divisor.factors
    guard otherScale > 0, scale % otherScale == 0 else { return nil }
    scale /= otherScale
    for name in others {
      guard let index = names.firstIndex(of: name) else { return nil }
      names.remove(at: index)
    }
    if names.isEmpty { return Dimension(scale) }
    if names.count == 1, let sum = Self.sum(in: names[0])?.scaled(by: scale) { return sum }
    return Dimension(constant: 0, coefficients: [names.joined(separator: "*"): scale])
  }

  /// The sum that a factor such as `(s1 + 4)` stands for.
  private static func sum(in factor: String) -> Dimension? {
    guard factor.first == "(", factor.last == ")" else { return nil }
    let text = String(factor.dropFirst().dropLast())
    let sum = Dimension(parsing: text)
    return sum.terms.count + (sum.constant == 0 ? 0 : 1) > 1 && sum.description == text ? sum : nil
  }
}

extension Dimension {
  /// Reads what exporters write into `dim_param`: `s25`, `2*s25`, `s1 + 4`; other text is opaque.
  public init(parsing text: String) {
    var result = Dimension(0)
    for part in text.split(separator: "+", omittingEmptySubsequences: false) {
      let factors = part.split(separator: "*").map { $0.trimmingSpaces() }
      let numbers = factors.compactMap { Int($0) }
      let names = factors.filter { Int($0) == nil }
      guard !factors.isEmpty, names.allSatisfy(\.isIdentifier) else {
        self.init(symbol: text)
        return
      }
      let product = names.map { Dimension(symbol: String($0)) }.reduce(Dimension(1), *)
      result = result + numbers.map { Dimension($0) }.reduce(product, *)
    }
    self = result
  }
}

extension Substring {
  fileprivate func trimmingSpaces() -> Substring {
    var rest = drop { $0 == " " }
    while rest.last == " " { rest.removeLast() }
    return rest
  }

  fileprivate var isIdentifier: Bool {
    guard let first, first.isLetter || first == "_" else { return false }
    return allSatisfy { $0.isLetter || $0.isNumber || "_./:-".contains($0) }
  }
}

extension Dimension: ExpressibleByIntegerLiteral {
  /// A known size.
  public init(integerLiteral value: Int) {
    self.init(value)
  }
}

extension Dimension: CustomStringConvertible {
  /// The expression, such as `2*s25 + 1`.
  public var description: String {
    if terms.isEmpty { return String(constant) }
    let symbols = terms.map { $0.coefficient == 1 ? $0.symbol : "\($0.coefficient)*\($0.symbol)" }
    return (symbols + (constant == 0 ? [] : [String(constant)])).joined(separator: " + ")
  }
}
