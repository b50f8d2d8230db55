import GraphIR
import Operators
import Tensors
import Testing

@Suite struct IsNaNTests {
  @Test func onlyNaNIsNotANumber() throws {
    let x = try Tensor.of([1, .nan, .infinity, -.infinity, -.nan, 0] as [Float], 3, 2)
    for view in [x, try x.scattered()] {
      let y = try OperatorHarness.run("IsNaN", [view])[0]
      #expect(y.elements(as: Bool.self) == [false, true, false, false, true, false])
    }
  }

  @Test func integersAndUnknownAttributesAreRefused() throws {
    #expect(OperatorHarness.refusal("IsNaN", [ValueFact(.int64, [2])])?.code == "bad-operands")
    try expectStrictness("IsNaN", [ValueFact(.float32, [2])])
  }
}
