import GraphIR
import Operators
import Tensors
import Testing

@Suite struct GatherNDTests {
  @Test func fullTuplesPickElements() throws {
    let indices = try Tensor.of([0, 0, 1, -1] as [Int64], 2, 2)
    expect(
      try OperatorHarness.run("GatherND", [try .counting(2, 2), indices], symbolic: false)[0],
      [0, 3], shape: [2])
  }

  @Test func shorterTuplesPickSlices() throws {
    let indices = try Tensor.of([0, 1, 1, 0] as [Int64], 2, 1, 2)
    let x = try Tensor.counting(2, 2, 2)
    expect(
      try OperatorHarness.run("GatherND", [x, indices], symbolic: false)[0], [2, 3, 4, 5],
      shape: [2, 1, 2])
    expect(
      try OperatorHarness.run("GatherND", [x.transposed([2, 1, 0]), indices], symbolic: false)[0],
      [2, 6, 1, 5], shape: [2, 1, 2])
  }

  @Test func batchAxesAreWalkedTogether() throws {
    let indices = try Tensor.of([1, 0] as [Int64], 2, 1)
    let y = try OperatorHarness.run(
      "GatherND", [try .counting(2, 2, 2), indices], [Attribute("batch_dims", .int(1))],
      symbolic: false)[0]
    expect(y, [2, 3, 4, 5], shape: [2, 2])
  }

  @Test func theShapeIsThatOfTheIndicesAndTheSlices() throws {
    let facts = try OperatorHarness.infer(
      "GatherND", [ValueFact(.float32, [4, s, 8]), ValueFact(.int64, [t, 2])])
    #expect(facts[0].shape == [t, 8])
  }

  @Test func tuplesOutsideTheDataAreRefused() throws {
    let x = try Tensor.counting(2, 2)
    expectRefusal("GatherND", [x, try .of([0, 2] as [Int64], 1, 2)])
    expectRefusal("GatherND", [x, try .of([0, 0, 0] as [Int64], 1, 3)])
    expectRefusal("GatherND", [x, try .of([0] as [Int64], 1)], [Attribute("batch_dims", .int(1))])
  }
}
