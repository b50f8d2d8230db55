import GraphIR
import Tensors
import Testing
import TypeInference

/// Solving symbols from sizes.
@Suite struct SymbolBindingsTests {
  private static func solve(
    _ axes: [(String, Int)], given: [String: Int] = [:]
  ) throws(DimensionError) -> [String: Int] {
    var bindings = SymbolBindings(given)
    try bindings.bind(
      axes.enumerated().map { position, axis in
        .init(declared: Dimension(parsing: axis.0), actual: axis.1, place: "axis \(position)")
      })
    return bindings.sizes
  }

  @Test func linearExpressionsAreSolved() throws {
    #expect(try Self.solve([("2*s + 1", 7), ("t", 5)]) == ["s": 3, "t": 5])
  }

  @Test func anExpressionOfTwoSymbolsWaitsForOneOfThem() throws {
    #expect(try Self.solve([("s + t", 7), ("2*s", 4)]) == ["s": 2, "t": 5])
  }

  @Test func anExpressionThatCannotBeSolvedIsLeftOpen() throws {
    #expect(try Self.solve([("s + t", 7)]) == [:])
  }

  @Test(arguments: [("2*s", 7), ("s + 4", 3), ("3", 4)])
  func aSizeThatNoSymbolExplainsIsAConflict(axis: (String, Int)) throws {
    let error = #expect(throws: DimensionError.self) { try Self.solve([axis]) }
    #expect(error?.code == "dimension-conflict")
  }

  @Test func aConflictTellsWhichAxisBoundTheSymbol() throws {
    let error = #expect(throws: DimensionError.self) { try Self.solve([("s", 1), ("2*s", 4)]) }
    #expect(
      error?.description
        == "axis 1: the size is 4, the model requires 2*s = 2 (s = 1 by axis 0)")
  }

  @Test func sizesGivenByNameCountFirst() throws {
    let error = #expect(throws: DimensionError.self) { try Self.solve([("s", 1)], given: ["s": 2]) }
    #expect(
      error?.description == "axis 0: the size is 1, the model requires s = 2 (s = 2)")
  }
}
