import GraphIR
import Kernels
import Tensors

/// [IsInf](https://onnx.ai/onnx/operators/onnx__IsInf.html): which elements are infinite, of both
/// signs or of one.
struct IsInf: Operator {
  static let key: OpKey = "IsInf"
  static let versions = 10...24

  private let findsPositive: Bool
  private let findsNegative: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    findsPositive = try node.flag("detect_positive", default: true)
    findsNegative = try node.flag("detect_negative", default: true)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.floatingPoint.require(type.dataType, operand: 0)
    return [ValueFact(.bool, type.shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let largest = try Tensor.scalar(.infinity, as: x.dataType)
    let least = try Tensor.scalar(-.infinity, as: x.dataType)
    let isNegative = try context.tensor(.bool, x.shape) { (output) throws(KernelError) in
      Copying.clear(output)
      if findsNegative { try Elementwise.compare(.equal, x, least, into: output) }
    }
    let result = try context.tensor(.bool, x.shape) { (output) throws(KernelError) in
      Copying.clear(output)
      if findsPositive { try Elementwise.compare(.equal, x, largest, into: output) }
      Elementwise.logical(.or, output, isNegative, into: output)
    }
    return [.tensor(result)]
  }
}
