import GraphIR
import Kernels

/// [Gelu](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#commicrosoftgelu):
/// GELU, x Φ(x).
struct MicrosoftGelu: PlainUnaryOperator {
  static let key = OpKey("Gelu", domain: "com.microsoft")
  static let versions = 1...1

  let operation = UnaryOperation.gelu
}
