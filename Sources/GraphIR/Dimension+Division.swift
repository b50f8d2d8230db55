extension Dimension {
  /// The quotient rounded towards minus infinity, or nil for a division by zero.
  public func floorDivided(by divisor: Dimension) -> Dimension? {
    if divisor.value == 0 { return nil }
    if self == divisor { return Dimension(1) }
    if let number = divisor.value, let quotient = floorDivided(by: number) { return quotient }
    if divisor.value == nil, let quotient = exactQuotient(by: divisor) { return quotient }
    return Dimension(symbol: "floor((\(self))/(\(divisor)))")
  }

  /// The quotient when every coefficient can be divided.
  private func floorDivided(by number: Int) -> Dimension? {
    if let own = value { return Self.floorQuotient(own, number).map { Dimension($0) } }
    guard number > 0, terms.allSatisfy({ $0.coefficient.isMultiple(of: number) }),
      let rest = Self.floorQuotient(constant, number)
    else { return nil }
    return Dimension(
      constant: rest,
      coefficients: Dictionary(
        uniqueKeysWithValues: terms.map { ($0.symbol, $0.coefficient / number) }))
  }

  /// The polynomial that gives this one when multiplied by `divisor`, if there is one.
  ///
  /// Division with remainder by leading terms; a remainder means no.
  private func exactQuotient(by divisor: Dimension) -> Dimension? {
    guard let lead = divisor.leadingTerm else { return nil }
    var rest = self
    var quotient = Dimension(0)
    for _ in 0..<Self.maximumTerms {
      if rest == 0 { return quotient }
      guard let own = rest.leadingTerm, let factors = own.factors.without(lead.factors),
        own.coefficient.isMultiple(of: lead.coefficient)
      else { return nil }
      let scale = own.coefficient / lead.coefficient
      let part =
        factors.names.isEmpty
        ? Dimension(scale) : Dimension(constant: 0, coefficients: [factors.text: scale])
      guard let next = Self.combine(rest, part * divisor, scale: -1),
        let sum = Self.combine(quotient, part, scale: 1)
      else { return nil }
      (rest, quotient) = (next, sum)
    }
    return nil
  }

  private var leadingTerm: (factors: Factors, coefficient: Int)? {
    var best: (factors: Factors, coefficient: Int)?
    for term in terms {
      let factors = Factors(of: term.symbol)
      if best.map({ factors.leads($0.factors) }) ?? true { best = (factors, term.coefficient) }
    }
    if best == nil, constant != 0 { return (Factors(), constant) }
    return best
  }

  /// Nil when the quotient does not fit.
  private static func floorQuotient(_ a: Int, _ b: Int) -> Int? {
    let (quotient, overflow) = a.dividedReportingOverflow(by: b)
    if overflow { return nil }
    return quotient * b != a && (a < 0) != (b < 0) ? quotient - 1 : quotient
  }
}
