import GraphIR
import Operators
import Tensors
import Testing

@Suite struct SwishTests {
  @Test func withoutAlphaItIsSiLU() throws {
    try checkUnary(
      "Swish",
      [
        (-4, -0.0719448398), (-2, -0.238405844), (-0.75, -0.240615976), (-0.1, -0.0475020819),
        (0, 0),
        (0.5, 0.311229666), (1, 0.731058579), (3, 2.85772238),
      ], opset: 24)
  }

  @Test func alphaScalesTheSigmoid() throws {
    try checkUnary(
      "Swish",
      [
        (-4, -0.00441472414), (-2, -0.0643413769), (-0.75, -0.163609942), (-0.1, -0.0457552425),
        (0, 0), (0.5, 0.350388437), (1, 0.845795766), (3, 2.98192869),
      ], [Attribute("alpha", .float(1.702))], opset: 24)
  }
}
