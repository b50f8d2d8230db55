import GraphIR
import Kernels
import Tensors

/// [IsNaN](https://onnx.ai/onnx/operators/onnx__IsNaN.html): which elements are not a number.
struct IsNaN: Operator {
  static let key: OpKey = "IsNaN"
  static let versions = 9...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
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
    let result = try context.tensor(.bool, x.shape) { (output) throws(KernelError) in
      try Elementwise.isNaN(x, into: output)
    }
    return [.tensor(result)]
  }
}
