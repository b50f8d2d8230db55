import GraphIR
import Operators
import Tensors
import Testing

@Suite struct IdentityTests {
  @Test func theOperandIsHandedOnWithoutACopy() throws {
    let x = try Tensor.of([1, -2, 3] as [Float], 3)
    let y = try OperatorHarness.run("Identity", [x])[0]
    #expect(y.floats == [1, -2, 3])
    #expect(y.storage === x.storage)
  }

  @Test func aNodeWithTwoOperandsIsRefused() {
    let fact = ValueFact(.float32, [2])
    #expect(OperatorHarness.refusal("Identity", [fact, fact])?.code == "bad-operands")
  }
}
