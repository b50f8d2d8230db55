import GraphIR
import Operators
import Tensors
import Testing

@Suite struct TriluTests {
  private func triangle(_ diagonal: Int64, upper: Int, _ x: Tensor? = nil) throws -> [Int]? {
    let x = try x ?? Tensor.of((1...12).map { Int64($0) }, 3, 4)
    return try OperatorHarness.run(
      "Trilu", [x, Tensor(scalar: diagonal)], [Attribute("upper", .int(upper))])[0].integers()
  }

  @Test func theDiagonalMovesTheBorder() throws {
    #expect(try triangle(1, upper: 1) == [0, 2, 3, 4, 0, 0, 7, 8, 0, 0, 0, 12])
    #expect(try triangle(-1, upper: 0) == [0, 0, 0, 0, 5, 0, 0, 0, 9, 10, 0, 0])
    #expect(try triangle(7, upper: 0) == Array(1...12))
    #expect(try triangle(-7, upper: 1) == Array(1...12))
    #expect(try triangle(.min, upper: 0) == [Int](repeating: 0, count: 12))
  }

  @Test func everyMatrixOfAStridedStackIsTreated() throws {
    let x = try Tensor.counting(2, 2, 2).transposed([2, 1, 0])
    #expect(try triangle(0, upper: 1, x) == [0, 4, 0, 6, 1, 5, 0, 7])
  }

  @Test func aVectorIsRefused() throws {
    expectRefusal("Trilu", [try .counting(3)])
  }
}
