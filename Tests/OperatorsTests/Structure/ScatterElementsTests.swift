import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ScatterElementsTests {
  private let adding = [Attribute("axis", .int(1)), Attribute("reduction", .text("add"))]

  @Test func elementsAreReplacedAlongTheAxis() throws {
    let x = try Tensor.of([Float](repeating: 0, count: 9), 3, 3)
    let indices = try Tensor.of([1, 0, 2, 0, 2, 1] as [Int64], 2, 3)
    let updates = try Tensor.of([1, 1.1, 1.2, 2, 2.1, 2.2] as [Float], 2, 3)
    let expected: [Float] = [2, 1.1, 0, 1, 0, 2.2, 0, 2.1, 1.2]
    for updates in [updates, try updates.scattered()] {
      expectClose(
        try OperatorHarness.run("ScatterElements", [x, indices, updates])[0], expected,
        shape: [3, 3])
    }
    #expect(x.floats.allSatisfy { $0 == 0 })
  }

  @Test func addingCountsEveryUpdate() throws {
    let x = try Tensor.of([1, 2, 3, 4, 5] as [Float], 1, 5)
    let indices = try Tensor.of([1, 1, -1] as [Int64], 1, 3)
    let updates = try Tensor.of([1.5, 2.5, 10] as [Float], 1, 3)
    expectClose(
      try OperatorHarness.run("ScatterElements", [x, indices, updates], adding)[0],
      [1, 6, 3, 4, 15])
  }

  @Test func productsAndExtremaAreTakenInPlace() throws {
    let indices = Tensor([0, 0, 2] as [Int64])
    for (reduction, expected) in [("mul", [6, 5, -4]), ("max", [3, 5, 4]), ("min", [1, 5, -1])] {
      let attributes = [Attribute("reduction", .text(reduction))]
      let x = Tensor([1, 5, 4] as [Int32])
      let updates = Tensor([2, 3, -1] as [Int32])
      let y = try OperatorHarness.run("ScatterElements", [x, indices, updates], attributes)[0]
      #expect(y.integers() == expected)
      let floats = try OperatorHarness.run(
        "ScatterElements",
        [Tensor([1, 5, 4] as [Float]), indices, Tensor([2, 3, -1] as [Float])], attributes)[0]
      #expect(floats.floats == expected.map { Float($0) })
    }
  }

  @Test func theShapeIsThatOfTheData() throws {
    let facts = try OperatorHarness.infer(
      "ScatterElements",
      [ValueFact(.float32, [s, 8]), ValueFact(.int64, [1, 8]), ValueFact(.float32, [1, 8])])
    #expect(facts[0].type == .tensor(.float32, [s, 8]))
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let x = try Tensor.counting(2, 2)
    let one = try Tensor.of([0] as [Int64], 1, 1)
    expectRefusal("ScatterElements", [x, try .of([2] as [Int64], 1, 1), try .counting(1, 1)])
    expectRefusal("ScatterElements", [x, one, try .counting(1, 2)])
    expectRefusal("ScatterElements", [x, one, try .of([1] as [Float], 1, 1)])
    let mean = [Attribute("reduction", .text("mean"))]
    let facts = [ValueFact(.float32, [2]), .int64(0), ValueFact(.float32, [1])]
    #expect(
      OperatorHarness.refusal("ScatterElements", facts, mean)?.code == "unsupported-operator")
  }
}
