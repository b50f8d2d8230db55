import GraphIR
import Kernels

/// [Cos](https://onnx.ai/onnx/operators/onnx__Cos.html): the cosine of every element, in radians.
struct Cos: PlainUnaryOperator {
  static let key: OpKey = "Cos"
  static let versions = 7...24

  let operation = UnaryOperation.cosine
}
