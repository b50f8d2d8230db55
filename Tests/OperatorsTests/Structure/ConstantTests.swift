import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ConstantTests {
  @Test func everyNumericFormGivesItsTensor() throws {
    func constant(_ name: String, _ value: AttributeValue) throws -> Tensor {
      try OperatorHarness.run("Constant", [], [Attribute(name, value)])[0]
    }
    expect(try constant("value_int", .int(-3)), [-3], shape: [])
    expect(try constant("value_ints", .ints([1, 2])), [1, 2], shape: [2])
    expectClose(try constant("value_float", .float(0.5)), [0.5], shape: [])
    expectClose(try constant("value_floats", .floats([1, 2])), [1, 2], shape: [2])
    let tensor = try Tensor.counting(2, 2)
    expect(try constant("value", .tensor(StoredTensor(tensor))), [0, 1, 2, 3], shape: [2, 2])
  }

  @Test func itsIntegersAreKnownToTyping() throws {
    let fact = try OperatorHarness.infer("Constant", [], [Attribute("value_ints", .ints([4, -1]))])
    #expect(fact[0].integers == [4, -1])
    #expect(fact[0].constant != nil)
  }

  @Test func textIsNotSupported() {
    let refusal = OperatorHarness.refusal("Constant", [], [Attribute("value_string", .text("a"))])
    #expect(refusal?.code == "unsupported-operator")
  }
}
