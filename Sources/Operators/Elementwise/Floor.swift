import GraphIR
import Kernels

/// [Floor](https://onnx.ai/onnx/operators/onnx__Floor.html): every element rounded down.
struct Floor: PlainUnaryOperator {
  static let key: OpKey = "Floor"
  static let versions = 7...24

  let operation = UnaryOperation.floor
}
