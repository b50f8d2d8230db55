import GraphIR
import Kernels

/// [Sin](https://onnx.ai/onnx/operators/onnx__Sin.html): the sine of every element, in radians.
struct Sin: PlainUnaryOperator {
  static let key: OpKey = "Sin"
  static let versions = 7...24

  let operation = UnaryOperation.sine
}
