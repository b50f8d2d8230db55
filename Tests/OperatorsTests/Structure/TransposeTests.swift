import GraphIR
import Operators
import Tensors
import Testing

@Suite struct TransposeTests {
  @Test func axesAreReversedByDefault() throws {
    let x = try Tensor.counting(2, 3)
    let y = try OperatorHarness.run("Transpose", [x])[0]
    expect(y, [0, 3, 1, 4, 2, 5], shape: [3, 2])
    #expect(y.storage === x.storage)
  }

  @Test func permNamesTheAxisThatComesNext() throws {
    let x = try Tensor.counting(2, 3, 2).scattered()
    let y = try OperatorHarness.run("Transpose", [x], [Attribute("perm", .ints([1, 2, 0]))])[0]
    expect(y, [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11], shape: [3, 2, 2])
  }

  @Test func symbolsMoveWithTheirAxes() throws {
    let fact = try OperatorHarness.infer(
      "Transpose", [ValueFact(.float32, [1, s, 8, t])], [Attribute("perm", .ints([0, 2, 1, 3]))])
    #expect(fact[0].type == .tensor(.float32, [1, 8, s, t]))
  }

  @Test func aPermThatIsNoPermutationIsRefused() throws {
    let x = try Tensor.counting(2, 3)
    for wrong in [[0], [0, 0], [1, 2], [-1, 0]] {
      expectRefusal("Transpose", [x], [Attribute("perm", .ints(wrong))])
    }
  }
}
