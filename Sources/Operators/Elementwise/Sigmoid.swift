import GraphIR
import Kernels

/// [Sigmoid](https://onnx.ai/onnx/operators/onnx__Sigmoid.html): 1 / (1 + e^-x) of every element.
struct Sigmoid: PlainUnaryOperator {
  static let key: OpKey = "Sigmoid"
  static let versions = 7...24

  let operation = UnaryOperation.sigmoid
}
