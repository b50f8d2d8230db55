import GraphIR
import Operators
import Tensors
import Testing

@Suite struct GeluTests {
  @Test func theExactFormIsTheDefault() throws {
    try checkUnary(
      "Gelu",
      [
        (-4, -0.000126684967), (-2, -0.0455002639), (-0.75, -0.169970514), (-0.1, -0.0460172169),
        (0, 0), (0.5, 0.345731231), (1, 0.841344746), (3, 2.99595031),
      ])
  }

  @Test func theApproximationUsesTheHyperbolicTangent() throws {
    try checkUnary(
      "Gelu",
      [
        (-4, -7.02459482e-05), (-2, -0.0454023059), (-0.75, -0.170039445), (-0.1, -0.0460172496),
        (0, 0), (0.5, 0.34571401), (1, 0.841191991), (3, 2.99636261),
      ], [Attribute("approximate", .text("tanh"))])
  }

  @Test func anotherApproximationIsRefused() {
    let refusal = OperatorHarness.refusal(
      "Gelu", [ValueFact(.float32, [2])], [Attribute("approximate", .text("sigmoid"))])
    #expect(refusal?.category == .unsupported)
  }

  @Test func beforeOpset20TheOperatorDoesNotExist() {
    #expect(OperatorHarness.refusal("Gelu", [ValueFact(.float32, [2])], opset: 19) != nil)
  }
}
