/// The size of one axis: a polynomial over symbols with integer coefficients, such as `2*s25 + 1`.
///
/// Products are multiplied out, so `(2*s + 2)*t` and `2*(s + 1)*t` are the same polynomial and
/// compare equal. A quotient that is no polynomial is one opaque factor whose name is the canonical
/// text of the expression, `floor((s)/(2))`, so equal quotients still compare equal.
public struct Dimension: Hashable, Sendable {
  /// A product of symbols times a number.
  public struct Term: Hashable, Sendable {
    /// The product: factors in order, joined by `*`; a single symbol's own name.
    public let symbol: String
    /// Never zero.
    public let coefficient: Int

    /// True when the product is one symbol, neither a power nor a quotient.
    public var isSymbol: Bool {
      let names = Factors(of: symbol).names
      return names.count == 1 && Factors.quotient(names[0]) == nil
    }
  }

  /// The part without symbols.
  public let constant: Int

  /// The other parts, ordered by symbol.
  public let terms: [Term]

  /// The most terms that a product is multiplied out to.
  static let maximumTerms = 64

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

  init(constant: Int, coefficients: [String: Int]) {
    self.constant = constant
    terms = coefficients.filter { $0.value != 0 }.sorted { $0.key < $1.key }
      .map { Term(symbol: $0.key, coefficient: $0.value) }
  }

  /// The size when it is known.
  public var value: Int? { terms.isEmpty ? constant : nil }

  /// The names of all symbols, those inside quotients too, sorted.
  public var symbols: [String] {
    if terms.isEmpty { return [] }
    return Set(terms.flatMap { Factors(of: $0.symbol).names.flatMap(Factors.symbols) }).sorted()
  }

  /// The size with symbols replaced by numbers; nil while a symbol has none.
  public func evaluated(with bindings: [String: Int]) -> Int? {
    substituting(bindings).value
  }
}

// MARK: - Arithmetic

extension Dimension {
  /// The sum; an opaque symbol when a number does not fit.
  public static func + (a: Dimension, b: Dimension) -> Dimension {
    combine(a, b, scale: 1) ?? Dimension(symbol: "(\(a)) + (\(b))")
  }

  /// The difference; an opaque symbol when a number does not fit.
  public static func - (a: Dimension, b: Dimension) -> Dimension {
    combine(a, b, scale: -1) ?? Dimension(symbol: "(\(a)) - (\(b))")
  }

  /// The product, multiplied out; an opaque symbol when a number does not fit or the terms are too
  /// many.
  public static func * (a: Dimension, b: Dimension) -> Dimension {
    if let number = a.value, let scaled = b.scaled(by: number) { return scaled }
    if let number = b.value, let scaled = a.scaled(by: number) { return scaled }
    return multipliedOut(a, b) ?? Dimension(symbol: "(\(a))*(\(b))")
  }

  private static func multipliedOut(_ a: Dimension, _ b: Dimension) -> Dimension? {
    guard (a.terms.count + 1) * (b.terms.count + 1) <= maximumTerms else { return nil }
    var constant = 0
    var coefficients: [String: Int] = [:]
    let others =
      b.terms.map { (Factors(of: $0.symbol), $0.coefficient) } + [(Factors(), b.constant)]
    for (own, scale) in a.terms.map({ (Factors(of: $0.symbol), $0.coefficient) })
      + [(Factors(), a.constant)]
    {
      for (other, otherScale) in others {
        let (product, overflow) = scale.multipliedReportingOverflow(by: otherScale)
        let factors = own.times(other)
        let sum = factors.names.isEmpty ? constant : coefficients[factors.text, default: 0]
        let (total, overflow2) = sum.addingReportingOverflow(product)
        if overflow || overflow2 { return nil }
        if factors.names.isEmpty { constant = total } else { coefficients[factors.text] = total }
      }
    }
    return Dimension(constant: constant, coefficients: coefficients)
  }

  func scaled(by number: Int) -> Dimension? {
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

  static func combine(_ a: Dimension, _ b: Dimension, scale: Int) -> Dimension? {
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
