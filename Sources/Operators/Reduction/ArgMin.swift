import GraphIR

/// [ArgMin](https://onnx.ai/onnx/operators/onnx__ArgMin.html): where along one axis the smallest
/// element is.
struct ArgMin: ExtremePositionOperator {
  static let key: OpKey = "ArgMin"
  static let versions = 7...24
  static let isSmallest = true

  let options: ExtremePositionOptions
}
