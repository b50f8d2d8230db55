import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ClipTests {
  private let x: [Float] = [-2, -0.5, 0, 0.75, 3, .nan]

  @Test func boundsAreOperandsFromOpset11On() throws {
    let (low, high) = (try Tensor.of([-1] as [Float]), try Tensor.of([1] as [Float]))
    let operand = try Tensor.of(x, 2, 3)
    let both = try OperatorHarness.run("Clip", [operand, low, high])
    expectClose(both[0], [-1, -0.5, 0, 0.75, 1, .nan], shape: [2, 3])
    let lower = try OperatorHarness.run("Clip", [operand, low])
    expectClose(lower[0], [-1, -0.5, 0, 0.75, 3, .nan], shape: [2, 3])
    let upper = try OperatorHarness.run("Clip", [try operand.scattered(), nil, high])
    expectClose(upper[0], [-2, -0.5, 0, 0.75, 1, .nan], shape: [2, 3])
    let neither = try OperatorHarness.run("Clip", [operand])
    #expect(neither[0].storage === operand.storage)
  }

  @Test func boundsAreAttributesBeforeThat() throws {
    let result = try OperatorHarness.run(
      "Clip", [try Tensor.of(x, 6)],
      [Attribute("min", .float(-0.25)), Attribute("max", .float(0.5))], opset: 10)
    expectClose(result[0], [-0.25, -0.25, 0, 0.5, 0.5, .nan])
    let refusal = OperatorHarness.refusal(
      "Clip", [ValueFact(.float32, [6])], [Attribute("min", .float(0))], opset: 11)
    #expect(refusal?.message.contains("'min'") == true)
  }

  @Test func integersAreClipped() throws {
    let result = try OperatorHarness.run(
      "Clip",
      [
        try Tensor.of([-5, 0, 5] as [Int64], 3), try Tensor.of([-1] as [Int64]),
        try Tensor.of([2] as [Int64]),
      ])
    #expect(result[0].integers() == [-1, 0, 2])
  }

  @Test func boundsThatCrossYieldTheUpperOne() throws {
    let result = try OperatorHarness.run(
      "Clip", [try Tensor.of(x, 6), try Tensor.of([2] as [Float]), try Tensor.of([1] as [Float])])
    #expect(result[0].floats.prefix(5).allSatisfy { $0 == 1 })
  }

  @Test func aBoundThatIsNoScalarIsRefused() throws {
    let fact = ValueFact(.float32, [3])
    #expect(OperatorHarness.refusal("Clip", [fact, fact])?.code == "bad-operands")
    try expectStrictness("Clip", [fact])
  }
}
