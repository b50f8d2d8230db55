import GraphIR
import Kernels

/// [Equal](https://onnx.ai/onnx/operators/onnx__Equal.html):
/// whether elements are equal; NaN equals nothing.
///
/// Strings, which ONNX allows from opset 19, are not implemented.
struct Equal: ComparisonOperator {
  static let key: OpKey = "Equal"
  static let versions = 7...24

  let elementTypes = ElementTypes.numbersOrBool
  let comparison = Comparison.equal
}
