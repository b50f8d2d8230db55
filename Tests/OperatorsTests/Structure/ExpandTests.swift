import GraphIR
import Operators
import Tensors
import Testing

@Suite struct ExpandTests {
  @Test func bothTheOperandAndTheTargetBroadcast() throws {
    let x = try Tensor.counting(3, 1)
    let y = try OperatorHarness.run("Expand", [x, .int64(2, 1, 2)])[0]
    expect(y, [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2], shape: [2, 3, 2])
    #expect(y.storage === x.storage)
    #expect(y.strides == [0, 1, 0])
  }

  @Test func aShorterTargetKeepsTheLeadingAxes() throws {
    let y = try OperatorHarness.run("Expand", [try .counting(2, 1), .int64(2)])[0]
    expect(y, [0, 0, 1, 1], shape: [2, 2])
  }

  @Test func symbolicTargetsReplaceOnes() throws {
    let fact = try OperatorHarness.infer(
      "Expand", [ValueFact(.float32, [1, s, 1]), .sizes(2, 1, t)])
    #expect(fact[0].shape == [2, s, t])
    let repeated = try OperatorHarness.infer("Expand", [.sizes(s), .int64(3)])
    #expect(repeated[0].elements == [s, s, s])
    let open = try OperatorHarness.infer(
      "Expand", [ValueFact(.float32, [4]), ValueFact(.int64, [2])])
    #expect(open[0].shape?.last == 4)
  }

  @Test func sizesThatDoNotBroadcastAreRefused() throws {
    expectRefusal("Expand", [try .counting(3), .int64(2)])
    #expect(OperatorHarness.refusal("Expand", [ValueFact(.float32, [1]), .int64(-1)]) != nil)
  }
}
