import GraphIR
import Kernels

/// [Abs](https://onnx.ai/onnx/operators/onnx__Abs.html): the magnitude of every element.
struct Abs: PlainUnaryOperator {
  static let key: OpKey = "Abs"
  static let versions = 7...24

  let elementTypes = ElementTypes.numbers
  let operation = UnaryOperation.absolute

  func apply(_ element: Dimension) -> Dimension? {
    if let value = element.value { return value == .min ? nil : Dimension(abs(value)) }
    return element.isCertainlyNotNegative ? element : nil
  }
}
