import GraphIR
import Operators
import Tensors
import Testing

@Suite struct FlattenTests {
  @Test func axesBeforeAndAfterBecomeRowsAndColumns() throws {
    let x = try Tensor.counting(2, 3, 4)
    for (axis, shape) in [(0, [1, 24]), (1, [2, 12]), (-1, [6, 4]), (3, [24, 1])] {
      let y = try OperatorHarness.run("Flatten", [x], [Attribute("axis", .int(axis))])[0]
      expect(y, Array(0..<24), shape: shape)
    }
    #expect(try OperatorHarness.run("Flatten", [x])[0].shape.dimensions == [2, 12])
  }

  @Test func sizesMultiply() throws {
    let fact = try OperatorHarness.infer("Flatten", [ValueFact(.float32, [s, 3, 4])])
    #expect(fact[0].shape == [s, 12])
    #expect(try OperatorHarness.infer("Flatten", [ValueFact(.float32, nil)])[0].rank == 2)
  }

  @Test func anAxisOutsideIsRefused() throws {
    expectRefusal("Flatten", [try .counting(2)], [Attribute("axis", .int(2))])
  }
}
