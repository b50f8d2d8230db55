import GraphIR
import Kernels

/// [Relu](https://onnx.ai/onnx/operators/onnx__Relu.html): max(x, 0) of every element.
struct Relu: PlainUnaryOperator {
  static let key: OpKey = "Relu"
  static let versions = 7...24

  let elementTypes = ElementTypes.numbers
  let operation = UnaryOperation.relu
}
