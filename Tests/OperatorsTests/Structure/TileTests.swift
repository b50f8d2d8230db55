import GraphIR
import Operators
import Tensors
import Testing

@Suite struct TileTests {
  @Test func theWholeOperandIsRepeated() throws {
    let expected = [0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3]
    let x = try Tensor.counting(2, 2)
    for x in [x, try x.scattered()] {
      let y = try OperatorHarness.run("Tile", [x, .int64(2, 3)], symbolic: false)[0]
      expect(y, expected + expected, shape: [4, 6])
    }
    #expect(try OperatorHarness.run("Tile", [x, .int64(1, 1)])[0].storage === x.storage)
    #expect(try OperatorHarness.run("Tile", [x, .int64(0, 1)])[0].shape.dimensions == [0, 2])
  }

  @Test func sizesMultiplyAndElementsRepeat() throws {
    let fact = try OperatorHarness.infer("Tile", [ValueFact(.float32, [2, s]), .sizes(t, 3)])
    #expect(fact[0].shape == [2 * t, 3 * s])
    let elements = try OperatorHarness.infer("Tile", [.sizes(s, 4), .int64(2)])
    #expect(elements[0].elements == [s, 4, s, 4])
  }

  @Test func repeatsMustNameEveryAxis() throws {
    expectRefusal("Tile", [try .counting(2, 2), .int64(2)])
    expectRefusal("Tile", [try .counting(2), .int64(-1)])
  }
}
