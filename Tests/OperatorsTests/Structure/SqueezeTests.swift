import GraphIR
import Operators
import Tensors
import Testing

@Suite struct SqueezeTests {
  @Test func namedAxesOfSizeOneGo() throws {
    let x = try Tensor.counting(1, 3, 1, 2)
    let y = try OperatorHarness.run("Squeeze", [x, .int64(-2)])[0]
    expect(y, Array(0..<6), shape: [1, 3, 2])
    #expect(y.storage === x.storage)
    let old = try OperatorHarness.run(
      "Squeeze", [x], [Attribute("axes", .ints([0, 2]))], opset: 11)
    #expect(old[0].shape.dimensions == [3, 2])
  }

  @Test func withoutAxesAllGo() throws {
    let x = try Tensor.counting(1, 3, 1).transposed([2, 1, 0])
    expect(try OperatorHarness.run("Squeeze", [x], symbolic: false)[0], [0, 1, 2], shape: [3])
  }

  @Test func withoutAxesASymbolLeavesTheRankOpen() throws {
    #expect(try OperatorHarness.infer("Squeeze", [ValueFact(.float32, [1, s])])[0].shape == nil)
    let named = try OperatorHarness.infer("Squeeze", [ValueFact(.float32, [s, 1, t]), .int64(1)])
    #expect(named[0].shape == [s, t])
  }

  @Test func anElementStaysKnownAsAScalar() throws {
    let fact = try OperatorHarness.infer("Squeeze", [.sizes(2 * s), .int64(0)])[0]
    #expect(fact.shape == [])
    #expect(fact.elements == [2 * s])
  }

  @Test func anAxisOfAnotherSizeIsRefused() throws {
    let x = try Tensor.counting(1, 3)
    expectRefusal("Squeeze", [x, .int64(1)])
    expectRefusal("Squeeze", [x, .int64(2)])
    expectRefusal("Squeeze", [x, .int64(0, -2)])
  }
}
