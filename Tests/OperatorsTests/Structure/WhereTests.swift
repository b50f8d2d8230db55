import GraphIR
import Operators
import Tensors
import Testing

@Suite struct WhereTests {
  @Test func allThreeOperandsBroadcast() throws {
    let condition = try Tensor.of([true, false], 2, 1)
    let a = Tensor([0, 1, 2] as [Float])
    let b = try Tensor.of([10, 20] as [Float], 2, 1)
    let y = try OperatorHarness.run("Where", [condition, a, b])[0]
    expectClose(y, [0, 1, 2, 20, 20, 20], shape: [2, 3])
  }

  @Test func truthValuesAndWideIntegersAreChosenToo() throws {
    let condition = Tensor([true, false, true])
    let bits = try OperatorHarness.run(
      "Where", [condition, Tensor([true, true, false]), Tensor(scalar: false)])[0]
    #expect(bits.elements() == [true, false, false])
    let wide = try OperatorHarness.run("Where", [condition, .int64(.max), .int64(1, 2, 3)])[0]
    #expect(wide.elements() == [Int64.max, 2, .max])
  }

  @Test func knownElementsAreChosen() throws {
    let condition = ValueFact(.bool, [3], elements: [1, 0, 0])
    let fact = try OperatorHarness.infer("Where", [condition, .int64(7), .sizes(s, t, 4)])
    #expect(fact[0].elements == [7, t, 4])
    let open = try OperatorHarness.infer(
      "Where", [ValueFact(.bool, [3]), .int64(7), .sizes(s, t, 4)])
    #expect(open[0].elements == nil)
    #expect(open[0].type == .tensor(.int64, [3]))
  }

  @Test func differentTypesAreRefused() throws {
    let x = try Tensor.counting(2)
    expectRefusal("Where", [Tensor([true, false]), x, Tensor([1, 2] as [Float])])
    expectRefusal("Where", [x, x, x])
    expectRefusal("Where", [Tensor([true, false]), x, try .counting(3)])
  }
}
