import GraphIR
import Kernels

/// [Neg](https://onnx.ai/onnx/operators/onnx__Neg.html): every element with the other sign.
struct Neg: PlainUnaryOperator {
  static let key: OpKey = "Neg"
  static let versions = 7...24

  let elementTypes = ElementTypes.numbers
  let operation = UnaryOperation.negate

  func apply(_ element: Dimension) -> Dimension? { Dimension(0) - element }
}
