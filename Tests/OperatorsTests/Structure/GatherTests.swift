import GraphIR
import Operators
import Tensors
import Testing

@Suite struct GatherTests {
  @Test func rowsArePickedByAMatrixOfIndices() throws {
    let x = try Tensor.of([0, 1, 2, 3, 4, 5] as [Float], 3, 2)
    let indices = try Tensor.of([0, 1, 1, -1] as [Int64], 2, 2)
    let y = try OperatorHarness.run("Gather", [x, indices])[0]
    expectClose(y, [0, 1, 2, 3, 2, 3, 4, 5], shape: [2, 2, 2])
  }

  @Test func columnsOfAStridedOperandArePicked() throws {
    let x = try Tensor.counting(3, 3).transposed([1, 0])
    let y = try OperatorHarness.run(
      "Gather", [x, .of([0, 2] as [Int32], 1, 2)], [Attribute("axis", .int(1))])[0]
    expect(y, [0, 6, 1, 7, 2, 8], shape: [3, 1, 2])
  }

  @Test func aScalarIndexRemovesTheAxisWithoutACopy() throws {
    let x = try Tensor.counting(3, 4)
    let y = try OperatorHarness.run(
      "Gather", [x, Tensor(scalar: Int64(-1))], [Attribute("axis", .int(1))])[0]
    expect(y, [3, 7, 11], shape: [3])
    #expect(y.storage === x.storage)
  }

  @Test func bytesAndDoublesMoveUnchanged() throws {
    let bits = try Tensor.of([true, false, false, true], 4)
    #expect(
      try OperatorHarness.run("Gather", [bits, .int64(3, 1)])[0].elements() == [true, false])
    let wide = try Tensor.of([0.1, 0.2, 0.3] as [Double], 3)
    #expect(try OperatorHarness.run("Gather", [wide, .int64(2)])[0].elements() == [0.3])
  }

  @Test func aDimensionIsPickedFromAShape() throws {
    let shape = ValueFact.sizes(2, s, 8)
    let one = try OperatorHarness.infer(
      "Gather", [shape, ValueFact(constant: Tensor(scalar: Int64(1)))])
    #expect(one[0].elements == [s])
    #expect(one[0].shape == [])
    let two = try OperatorHarness.infer("Gather", [shape, .int64(-1, 1)])
    #expect(two[0].elements == [8, s])
  }

  @Test func theShapeOfTheIndicesReplacesTheAxis() throws {
    let fact = try OperatorHarness.infer(
      "Gather", [ValueFact(.float32, [1024, 64]), ValueFact(.int64, [s, t])])
    #expect(fact[0].shape == [s, t, 64])
  }

  @Test func indicesOutsideTheAxisAreRefused() throws {
    let x = try Tensor.counting(3, 2)
    expectRefusal("Gather", [x, .int64(3)])
    expectRefusal("Gather", [x, .int64(-4)])
    expectRefusal("Gather", [x, try .of([1] as [Float], 1)])
    #expect(OperatorHarness.refusal("Gather", [ValueFact(.float32, [3]), .int64(7)]) != nil)
  }
}
