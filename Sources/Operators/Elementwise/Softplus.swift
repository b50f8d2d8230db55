import GraphIR
import Kernels

/// [Softplus](https://onnx.ai/onnx/operators/onnx__Softplus.html): log(1 + e^x) of every element.
struct Softplus: PlainUnaryOperator {
  static let key: OpKey = "Softplus"
  static let versions = 7...24

  let operation = UnaryOperation.softplus
}
