import GraphIR
import Operators
import Tensors
import Testing

/// Arithmetic on known sizes, seen through the operators that use it.
@Suite struct ElementArithmeticTests {
  private func elements(
    _ op: OpKey, _ a: ValueFact, _ b: ValueFact
  ) throws -> [Dimension]? {
    try OperatorHarness.infer(op, [a, b])[0].elements
  }

  @Test func sumsAndProductsStayLinear() throws {
    #expect(try elements("Add", .sizes(s, 4), .int64(1)) == [s + 1, 5])
    #expect(try elements("Sub", .sizes(s, 4), .sizes(s, s)) == [0, 4 - s])
    #expect(try elements("Mul", .sizes(s, 4), .int64(3)) == [3 * s, 12])
    #expect(try elements("Mul", .sizes(s), .sizes(t)) == [s * t])
  }

  @Test func quotientsAreExactOrOpaqueAndRoundTowardsZero() throws {
    #expect(try elements("Div", .sizes(4 * s), .int64(2)) == [2 * s])
    #expect(try elements("Div", .sizes(s * t), .sizes(t)) == [s])
    #expect(try elements("Div", .sizes(2 * s + 3), .int64(2)) == [s + 1])
    #expect(try elements("Div", .int64(-7, 7), .int64(2)) == [-3, 3])
    #expect(
      try elements("Div", .sizes(s), .int64(2)) == [Dimension(symbol: "floor((s)/(2))")])
    #expect(try elements("Div", .sizes(s), .int64(0)) == nil)
  }

  @Test func remaindersHaveTheSignOfTheDivisor() throws {
    #expect(try elements("Mod", .int64(-7, 7), .int64(3, -3)) == [2, -2])
    #expect(try elements("Mod", .sizes(4 * s), .int64(2)) == [0])
  }

  @Test func aSizeIsNeverMinusOne() throws {
    #expect(try elements("Equal", .sizes(s, -1, 4), .int64(-1)) == [0, 1, 0])
    #expect(try elements("Equal", .sizes(s), .int64(4)) == nil)
    #expect(try elements("Equal", .sizes(s), .sizes(s + 1)) == [0])
  }

  @Test func extremaAreDecidedWhereTheDifferenceIs() throws {
    #expect(try elements("Max", .sizes(s + 2), .sizes(s)) == [s + 2])
    #expect(try elements("Min", .sizes(s), .int64(0)) == [0])
    #expect(
      try elements("Max", .sizes(s), .int64(8)) == [Dimension(symbol: "max(8, s)")])
  }
}
