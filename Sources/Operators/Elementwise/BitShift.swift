import GraphIR
import Kernels

/// [BitShift](https://onnx.ai/onnx/operators/onnx__BitShift.html): unsigned integers with their bits
/// moved; a shift of the width or more leaves 0.
struct BitShift: BitwiseOperator {
  static let key: OpKey = "BitShift"
  static let versions = 11...24

  let operation: BitwiseOperation

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
    guard node.has("direction") else { throw .badOperands("'direction' is missing") }
    let word = try node.word("direction", in: ["LEFT", "RIGHT"], default: "LEFT")
    operation = word == "LEFT" ? .shiftLeft : .shiftRight
  }
}
