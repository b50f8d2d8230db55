import GraphIR
import Testing

@Suite("Dimension") struct DimensionTests {
  private let s = Dimension(symbol: "s")
  private let t = Dimension(symbol: "t")

  @Test("sums and products with numbers stay linear")
  func linear() {
    #expect(s + s == 2 * s)
    #expect(((s + 3) * 2 - 2 * s).value == 6)
    #expect(s - s == 0)
    #expect((2 * s + t + 1).description == "2*s + t + 1")
    #expect((2 * s + t).symbols == ["s", "t"])
  }

  @Test("the order of operands does not change an expression")
  func commutative() {
    #expect(s + t == t + s)
    #expect(s * t == t * s)
    #expect((2 * s) * (3 * t) == 6 * (t * s))
    #expect((s * t) * s == s * (s * t))
    #expect((s * t).description == "s*t")
    #expect((s + 4) * t == t * (4 + s))
    #expect((s + 4) * t != s * t + 4)
  }

  private static let readings: [(String, Dimension)] = {
    let s1 = Dimension(symbol: "s1")
    return [
      ("s25", Dimension(symbol: "s25")), ("2*s25", 2 * Dimension(symbol: "s25")),
      ("s1 + 4", s1 + 4), ("4+s1", s1 + 4), ("s2*s1", s1 * Dimension(symbol: "s2")),
      ("12", Dimension(12)), ("3*s1*2 + s1", 7 * s1), ("s1 - 4", s1 - 4),
      ("2*(s1 + 1)", 2 * s1 + 2), ("s1**2", s1 * s1),
      ("((s31**2)//s31)", Dimension(symbol: "s31")), ("(4*s1 + 8)//4", s1 + 2),
      ("s1//2", s1.floorDivided(by: 2) ?? 0), ("floor(s1/2)", s1.floorDivided(by: 2) ?? 0),
    ]
  }()

  @Test("text of exporters is read as an expression", arguments: readings)
  func parsing(text: String, expected: Dimension) {
    #expect(Dimension(parsing: text) == expected)
  }

  @Test(
    "text that is not such an expression is one opaque symbol",
    arguments: [
      "", "max(s1, 4)", "s1//0", "99999999999999999999", "s1 + + 2", "a b", "s1**99", "(s1",
      String(repeating: "(", count: 100_000),
    ])
  func opaqueText(text: String) {
    #expect(Dimension(parsing: text) == Dimension(symbol: text))
    #expect(Dimension(parsing: text).value == nil)
  }

  @Test("what is printed reads back as the same expression")
  func roundTrip() {
    for dimension in [s, 2 * s + 1, 3 * (s * t) + 2 * t, Dimension(7)] {
      #expect(Dimension(parsing: dimension.description) == dimension)
    }
  }

  @Test("products are multiplied out, so that equal polynomials are equal")
  func normalForm() {
    #expect((2 * s + 2) * t == 2 * ((s + 1) * t))
    #expect((s + 1) * t == s * t + t)
    #expect((s + t) * (s - t) == s * s - t * t)
    #expect((s + 1) * (t + 2) == s * t + 2 * s + t + 2)
    #expect((s + 4) * t - 4 * t == s * t)
    #expect((s * t).terms.count == 1)
  }

  @Test("factors that nobody understands are kept apart in products")
  func opaqueFactors() {
    let odd = Dimension(parsing: "max(s, 4)")
    #expect((odd * t).description == "(max(s, 4))*t")
    #expect((odd * t).floorDivided(by: t) == odd)
    #expect(odd * t == t * odd && odd * odd != odd)
    #expect((odd * 2).floorDivided(by: 2) == odd)
  }

  @Test("symbols are replaced inside products and quotients")
  func substitution() {
    let half = s.floorDivided(by: 2) ?? 0
    #expect((s * t + 1).substituting(["s": 3]) == 3 * t + 1)
    #expect((s * t + 1).evaluated(with: ["s": 3, "t": 5]) == 16)
    #expect((half * t).substituting(["s": 7]) == 3 * t)
    #expect((half * t).symbols == ["s", "t"])
    #expect((s * s).evaluated(with: ["s": 9]) == 81)
  }

  @Test("a product of too many terms is one symbol, equal to itself")
  func manyTerms() {
    let long = (0..<12).map { Dimension(symbol: "d\($0)") }.reduce(Dimension(1), +)
    #expect((long * long).terms.count == 1)
    #expect(long * long == long * long)
  }

  @Test("a quotient is exact where every part divides, or cancels")
  func exactQuotients() {
    #expect((4 * s + 8).floorDivided(by: 4) == s + 2)
    #expect((2 * s + 1).floorDivided(by: 2) == s)
    #expect(Dimension(-7).floorDivided(by: 2) == -4)
    #expect(Dimension(7).floorDivided(by: -2) == -4)
    #expect((s + t).floorDivided(by: s + t) == 1)
    #expect((6 * (s * t)).floorDivided(by: 2 * t) == 3 * s)
    #expect(((s + 4) * t).floorDivided(by: s + 4) == t)
    #expect(((s + 4) * t).floorDivided(by: t) == s + 4)
    #expect((s * s - t * t).floorDivided(by: s + t) == s - t)
    #expect(((2 * s + 2) * (t + 3)).floorDivided(by: s + 1) == 2 * t + 6)
    #expect(s.floorDivided(by: 0) == nil)
  }

  @Test("other quotients are opaque, and equal to themselves")
  func opaqueQuotients() {
    #expect(s.floorDivided(by: 2)?.description == "floor((s)/(2))")
    #expect(s.floorDivided(by: 2) == s.floorDivided(by: 2))
    #expect(s.floorDivided(by: 2) != s.floorDivided(by: 3))
  }

  @Test("numbers that do not fit make the expression opaque")
  func overflow() {
    let most = Dimension(Int.max)
    for dimension in [
      most + 1, Dimension(Int.min) - 1, most * 2, (most * s) * 2, most * s + s,
      (most * s) * (2 * t),
    ] {
      #expect(dimension.value == nil)
      #expect(dimension.evaluated(with: ["s": 1, "t": 1]) == nil)
    }
    #expect(most + 1 == most + 1)
    #expect(Dimension(Int.min).floorDivided(by: -1)?.value == nil)
  }

  @Test("an expression is evaluated when all symbols have numbers that fit")
  func evaluation() {
    #expect((2 * s + t + 1).evaluated(with: ["s": 5, "t": 7]) == 18)
    #expect((2 * s + t).evaluated(with: ["s": 5]) == nil)
    #expect((2 * s).evaluated(with: ["s": Int.max]) == nil)
    #expect((s + 1).evaluated(with: ["s": Int.max]) == nil)
  }
}
