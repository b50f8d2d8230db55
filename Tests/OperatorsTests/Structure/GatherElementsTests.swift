import GraphIR
import Operators
import Tensors
import Testing

@Suite struct GatherElementsTests {
  @Test func anIndexForEachElementPicksAlongTheAxis() throws {
    let x = try Tensor.of((1...9).map { Float($0) }, 3, 3)
    let indices = try Tensor.of([1, 2, 0, 2, 0, 0] as [Int64], 2, 3)
    expectClose(
      try OperatorHarness.run("GatherElements", [x, indices])[0], [4, 8, 3, 7, 2, 3],
      shape: [2, 3])
    let narrow = try Tensor.of([1, 2, 3, 4] as [Float], 2, 2)
    let columns = try Tensor.of([0, 0, 1, -2] as [Int64], 2, 2)
    expectClose(
      try OperatorHarness.run(
        "GatherElements", [narrow, columns], [Attribute("axis", .int(1))])[0], [1, 1, 4, 3])
  }

  @Test func aStridedOperandIsReadWhereItLies() throws {
    let x = try Tensor.of((1...9).map { Float($0) }, 3, 3).transposed([1, 0])
    let indices = try Tensor.of([1, 2, 0, 2, 0, 0] as [Int64], 2, 3)
    expectClose(
      try OperatorHarness.run("GatherElements", [x, indices])[0], [2, 6, 7, 3, 4, 7],
      shape: [2, 3])
  }

  @Test func theIndicesGiveTheShape() throws {
    let facts = try OperatorHarness.infer(
      "GatherElements", [ValueFact(.float32, [4, 8]), ValueFact(.int64, [s, 8])])
    #expect(facts[0].type == .tensor(.float32, [s, 8]))
  }

  @Test func indicesThatLeaveTheDataAreRefused() throws {
    let x = try Tensor.counting(2, 2)
    expectRefusal("GatherElements", [x, try .of([2] as [Int64], 1, 1)])
    expectRefusal("GatherElements", [x, try .of([0, 0, 0] as [Int64], 1, 3)])
    expectRefusal("GatherElements", [x, .int64(0)])
  }
}
