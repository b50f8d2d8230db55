import GraphIR
import Operators
import Tensors
import Testing

@Suite struct UnsqueezeTests {
  @Test func axesAreCountedInTheResult() throws {
    let x = try Tensor.counting(3, 2).transposed([1, 0])
    let y = try OperatorHarness.run("Unsqueeze", [x, .int64(3, 0)])[0]
    expect(y, [0, 2, 4, 1, 3, 5], shape: [1, 2, 3, 1])
    #expect(y.storage === x.storage)
    let last = try OperatorHarness.run("Unsqueeze", [x, .int64(-1)])[0]
    #expect(last.shape.dimensions == [2, 3, 1])
  }

  @Test func olderModelsWriteAxesAsAnAttribute() throws {
    let y = try OperatorHarness.run(
      "Unsqueeze", [try .counting(2)], [Attribute("axes", .ints([0]))], opset: 11)[0]
    expect(y, [0, 1], shape: [1, 2])
    #expect(
      OperatorHarness.refusal(
        "Unsqueeze", [ValueFact(.float32, [2])], [Attribute("axes", .ints([0]))], opset: 13)
        != nil)
  }

  @Test func aKnownScalarBecomesAKnownVector() throws {
    let fact = try OperatorHarness.infer(
      "Unsqueeze", [ValueFact(.int64, [], elements: [s]), .int64(0)])[0]
    #expect(fact.shape == [1])
    #expect(fact.elements == [s])
  }

  @Test func axesTwiceOrOutsideAreRefused() throws {
    expectRefusal("Unsqueeze", [try .counting(2), .int64(0, -3)])
    expectRefusal("Unsqueeze", [try .counting(2), .int64(2)])
  }
}
