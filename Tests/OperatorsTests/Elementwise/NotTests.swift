import GraphIR
import Operators
import Tensors
import Testing

@Suite struct NotTests {
  @Test func truthValuesAreTurned() throws {
    let x = try Tensor.of([true, false, false, true, true, true], 2, 3)
    for view in [x, try x.scattered()] {
      let y = try OperatorHarness.run("Not", [view])[0]
      #expect(y.elements(as: Bool.self) == [false, true, true, false, false, false])
    }
  }

  @Test func aKnownTruthValueIsFollowed() throws {
    let fact = try OperatorHarness.infer("Not", [ValueFact(.bool, [2], elements: [0, 1])])
    #expect(fact[0].elements == [1, 0])
  }

  @Test func numbersAndUnknownAttributesAreRefused() throws {
    #expect(OperatorHarness.refusal("Not", [ValueFact(.float32, [2])])?.code == "bad-operands")
    try expectStrictness("Not", [ValueFact(.bool, [2])])
  }
}
