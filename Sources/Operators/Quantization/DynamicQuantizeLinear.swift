import GraphIR
import Kernels
import Tensors

/// [DynamicQuantizeLinear](https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html): float32
/// as uint8, with a scale and zero point that fit the range of the elements and 0.
struct DynamicQuantizeLinear: Operator {
  static let key: OpKey = "DynamicQuantizeLinear"
  static let versions = 11...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    guard type.dataType == nil || type.dataType == .float32 else {
      throw .badOperands("operand 0 is \(type), float32 is expected")
    }
    return [ValueFact(.uint8, type.shape), ValueFact(.float32, []), ValueFact(.uint8, [])]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let axes = Array(0..<x.rank)
    let largest = try context.tensor(.float32, .scalar) { (output) throws(KernelError) in
      try Reduction.reduce(.maximum, x, axes: axes, into: output)
    }.elements(as: Float.self)[0]
    let least = try context.tensor(.float32, .scalar) { (output) throws(KernelError) in
      try Reduction.reduce(.minimum, x, axes: axes, into: output)
    }.elements(as: Float.self)[0]
    let (top, bottom) = (max(0, largest), min(0, least))
    let scale: Float = top == bottom ? 1 / 255 : (top - bottom) / 255
    let zero = try Tensor.scalar(
      max(0, min(255, (-bottom / scale).rounded(.toNearestOrEven))), as: .uint8)
    let factor = Tensor(scalar: scale)
    let result = try Quantizing.quantize(x, scale: factor, zero: zero, to: .uint8, context)
    return [.tensor(result), .tensor(factor), .tensor(zero)]
  }
}
