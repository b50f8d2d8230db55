import GraphIR
import Kernels

/// [Sign](https://onnx.ai/onnx/operators/onnx__Sign.html): -1, 0 or 1 for every element.
struct Sign: PlainUnaryOperator {
  static let key: OpKey = "Sign"
  static let versions = 9...24

  let elementTypes = ElementTypes.numbers
  let operation = UnaryOperation.sign
}
