import GraphIR
import Operators
import Tensors
import Testing

@Suite struct PadTests {
  private func data() throws -> Tensor { try .of([1, 2, 3, 4, 5, 6] as [Float], 2, 3) }

  @Test func aBorderOfTheGivenValueIsAdded() throws {
    let nine = Tensor(scalar: Float(9))
    let y = try OperatorHarness.run("Pad", [try data(), .int64(0, 2, 1, 1), nine])[0]
    expectClose(
      y, [9, 9, 1, 2, 3, 9, 9, 9, 4, 5, 6, 9, 9, 9, 9, 9, 9, 9], shape: [3, 6])
  }

  @Test func negativeWidthsRemove() throws {
    let nine = Tensor(scalar: Float(9))
    let y = try OperatorHarness.run("Pad", [try data(), .int64(0, 2, 1, -1), nine])[0]
    expectClose(y, [9, 9, 1, 2, 9, 9, 4, 5, 9, 9, 9, 9], shape: [3, 4])
    let cut = try OperatorHarness.run("Pad", [try data().scattered(), .int64(-1, -1, 0, 0)])[0]
    expectClose(cut, [5, 6], shape: [1, 2])
  }

  @Test func onlySomeAxesMayBeNamed() throws {
    let y = try OperatorHarness.run("Pad", [try data(), .int64(1, 0), nil, .int64(-1)])[0]
    expectClose(y, [0, 1, 2, 3, 0, 4, 5, 6], shape: [2, 4])
  }

  @Test func olderModelsWriteWidthsAndValueAsAttributes() throws {
    let attributes = [Attribute("pads", .ints([0, 1, 0, 0])), Attribute("value", .float(-1))]
    let y = try OperatorHarness.run("Pad", [try data()], attributes, opset: 10)[0]
    expectClose(y, [-1, 1, 2, 3, -1, 4, 5, 6], shape: [2, 4])
  }

  @Test func sizesGrow() throws {
    let facts = try OperatorHarness.infer(
      "Pad", [ValueFact(.float32, [s, 3]), .sizes(1, 0, t, 0)])
    #expect(facts[0].shape == [s + t + 1, 3])
  }

  @Test func otherModesContinueTheOperand() throws {
    for (mode, expected) in [
      ("reflect", [3, 2, 1, 2, 3, 2] as [Float]), ("edge", [1, 1, 1, 2, 3, 3]),
      ("wrap", [2, 3, 1, 2, 3, 1]),
    ] {
      let y = try OperatorHarness.run(
        "Pad", [Tensor([1, 2, 3] as [Float]), Tensor([2, 1] as [Int64])],
        [Attribute("mode", .text(mode))])[0]
      expectClose(y, expected, shape: [6])
    }
  }

  @Test func unknownModesAndUnevenWidthsAreRefused() throws {
    let fact = ValueFact(.float32, [4])
    let wrap = [Attribute("mode", .text("wrap"))]
    #expect(
      OperatorHarness.refusal("Pad", [fact, .int64(1, 1)], wrap, opset: 18)?.code
        == "unsupported-operator")
    expectRefusal("Pad", [try data(), .int64(1, 1)])
    #expect(throws: OperatorError.self) {
      try OperatorHarness.run("Pad", [try data(), .int64(-3, 0, 0, 0)])
    }
  }
}
