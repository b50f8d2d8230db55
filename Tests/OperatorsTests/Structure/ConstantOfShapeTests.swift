import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ConstantOfShapeTests {
  @Test func zerosByDefault() throws {
    let y = try OperatorHarness.run("ConstantOfShape", [.int64(2, 3)])[0]
    expectClose(y, [0, 0, 0, 0, 0, 0], shape: [2, 3])
    #expect(try OperatorHarness.run("ConstantOfShape", [.int64(0)])[0].elementCount == 0)
  }

  @Test func oneElementIsRepeatedWithoutMemory() throws {
    let value = [Attribute("value", .tensor(StoredTensor(Tensor([7] as [Int64]))))]
    let y = try OperatorHarness.run("ConstantOfShape", [.int64(2, 2)], value)[0]
    expect(y, [7, 7, 7, 7], shape: [2, 2])
    #expect(y.strides == [0, 0])
    let fact = try OperatorHarness.infer("ConstantOfShape", [.int64(3)], value)[0]
    #expect(fact.integers == [7, 7, 7])
  }

  @Test func theShapeMayBeSymbolic() throws {
    let fact = try OperatorHarness.infer("ConstantOfShape", [.sizes(1, 2 * s)])[0]
    #expect(fact.type == .tensor(.float32, [1, 2 * s]))
    #expect(fact.elements == nil)
  }

  @Test func severalElementsAndNegativeSizesAreRefused() {
    let two = [Attribute("value", .tensor(StoredTensor(Tensor([1, 2] as [Int64]))))]
    expectRefusal("ConstantOfShape", [.int64(2)], two)
    #expect(throws: OperatorError.self) {
      try OperatorHarness.run("ConstantOfShape", [.int64(-1)])
    }
  }
}
