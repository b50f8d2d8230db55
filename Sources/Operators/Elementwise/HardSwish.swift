import GraphIR
import Kernels

/// [HardSwish](https://onnx.ai/onnx/operators/onnx__HardSwish.html): x max(0, min(1, x / 6 + ½)).
struct HardSwish: PlainUnaryOperator {
  static let key: OpKey = "HardSwish"
  static let versions = 14...24

  let operation = UnaryOperation.hardSwish
}
