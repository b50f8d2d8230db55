import GraphIR

/// [ArgMax](https://onnx.ai/onnx/operators/onnx__ArgMax.html): where along one axis the largest
/// element is.
struct ArgMax: ExtremePositionOperator {
  static let key: OpKey = "ArgMax"
  static let versions = 7...24
  static let isSmallest = false

  let options: ExtremePositionOptions
}
