import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ConcatTests {
  private func axis(_ axis: Int) -> [Attribute] { [Attribute("axis", .int(axis))] }

  @Test func tensorsOfDifferentWidthJoinAlongTheLastAxis() throws {
    let a = try Tensor.of([0, 1, 2, 3] as [Float], 2, 2)
    let b = try Tensor.of([10, 11] as [Float], 2, 1)
    let y = try OperatorHarness.run("Concat", [a, b], axis(-1), symbolic: false)[0]
    expectClose(y, [0, 1, 10, 2, 3, 11], shape: [2, 3])
  }

  @Test func stridedAndRepeatedOperandsAreReadInOrder() throws {
    let a = try Tensor.counting(3, 2).transposed([1, 0])
    let b = try #require(Tensor(scalar: Int32(7)).broadcast(to: Shape([2, 3])))
    let y = try OperatorHarness.run("Concat", [a, b], axis(0))[0]
    expect(y, [0, 2, 4, 1, 3, 5, 7, 7, 7, 7, 7, 7], shape: [4, 3])
  }

  @Test func sizesAddUpAndTheOthersMustAgree() throws {
    let fact = try OperatorHarness.infer(
      "Concat", [ValueFact(.float32, [1, s, t]), ValueFact(.float32, [1, 2 * s + 4, 8])], axis(1))
    #expect(fact[0].type == .tensor(.float32, [1, 3 * s + 4, 8]))
  }

  @Test func shapesAreBuiltFromKnownElements() throws {
    let fact = try OperatorHarness.infer("Concat", [.sizes(s), .int64(-1), .sizes(4, t)], axis(0))
    #expect(fact[0].elements == [s, -1, 4, t])
    #expect(fact[0].shape == [4])
  }

  @Test func operandsThatDoNotFitAreRefused() throws {
    let a = try Tensor.counting(2, 2)
    expectRefusal("Concat", [a, try .counting(3, 2)], axis(1))
    expectRefusal("Concat", [a, try .counting(2)], axis(0))
    expectRefusal("Concat", [a, a], axis(2))
    expectRefusal("Concat", [a, a])
    expectRefusal("Concat", [a, try .of([1, 2, 3, 4] as [Float], 2, 2)], axis(0))
  }
}
