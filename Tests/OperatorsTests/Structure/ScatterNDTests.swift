import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ScatterNDTests {
  @Test func singleElementsAreReplaced() throws {
    let x = Tensor((1...8).map { Float($0) })
    let indices = try Tensor.of([4, 3, 1, 7] as [Int64], 4, 1)
    let y = try OperatorHarness.run("ScatterND", [x, indices, Tensor([9, 10, 11, 12] as [Float])])
    expectClose(y[0], [1, 11, 3, 10, 9, 6, 7, 12])
    #expect(x.floats[4] == 5)
  }

  @Test func slicesOfAStridedOperandAreReplaced() throws {
    let x = try Tensor.counting(2, 3).transposed([1, 0])
    let indices = try Tensor.of([-1, 0] as [Int64], 2, 1)
    let updates = try Tensor.of([10, 20, 11, 21] as [Int32], 2, 2).transposed([1, 0])
    let y = try OperatorHarness.run("ScatterND", [x, indices, updates], symbolic: false)[0]
    expect(y, [20, 21, 1, 4, 10, 11], shape: [3, 2])
  }

  @Test func addingCountsEveryUpdate() throws {
    let x = try Tensor.of([Float](repeating: 1, count: 8), 4, 2)
    let indices = try Tensor.of([0, 2, 0] as [Int64], 3, 1)
    let updates = try Tensor.of([0, 1, 2, 3, 4, 5] as [Float], 3, 2)
    let y = try OperatorHarness.run(
      "ScatterND", [x, indices, updates], [Attribute("reduction", .text("add"))])[0]
    expectClose(y, [5, 7, 1, 1, 3, 4, 1, 1], shape: [4, 2])
  }

  @Test func aRepeatedOperandIsCopiedBeforeItIsWrittenTo() throws {
    let zeros = try #require(Tensor(scalar: Int64(0)).broadcast(to: Shape([3])))
    let y = try OperatorHarness.run(
      "ScatterND", [zeros, try .of([1] as [Int64], 1, 1), .int64(5)])[0]
    expect(y, [0, 5, 0], shape: [3])
    #expect(zeros.integers() == [0, 0, 0])
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let x = try Tensor.counting(2, 2)
    let row = try Tensor.of([0] as [Int64], 1, 1)
    expectRefusal("ScatterND", [x, try .of([2] as [Int64], 1, 1), try .counting(1, 2)])
    expectRefusal("ScatterND", [x, row, try .counting(2, 1)])
    expectRefusal("ScatterND", [x, try .of([0, 0, 0] as [Int64], 1, 3), try .counting(1)])
    expectRefusal("ScatterND", [x, row, try .of([1, 2] as [Float], 1, 2)])
  }
}
