import GraphIR
import Kernels

/// [Log](https://onnx.ai/onnx/operators/onnx__Log.html): the natural logarithm of every element.
struct Log: PlainUnaryOperator {
  static let key: OpKey = "Log"
  static let versions = 7...24

  let operation = UnaryOperation.logarithm
}
