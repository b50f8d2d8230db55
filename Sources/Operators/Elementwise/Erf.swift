import GraphIR
import Kernels

/// [Erf](https://onnx.ai/onnx/operators/onnx__Erf.html): the error function of every element.
///
/// Integers, which ONNX also allows, are not implemented.
struct Erf: PlainUnaryOperator {
  static let key: OpKey = "Erf"
  static let versions = 9...24

  let operation = UnaryOperation.errorFunction
}
