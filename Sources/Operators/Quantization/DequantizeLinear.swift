import GraphIR
import Kernels
import Tensors

/// [DequantizeLinear](https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html): (x − zero point) ·
/// scale.
///
/// For 8-bit, 16-bit and 32-bit integers; computed in float32.
struct DequantizeLinear: Operator {
  static let key: OpKey = "DequantizeLinear"
  static let versions = 10...24

  private let parameter: QuantizationParameter
  private let target: DataType?

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...3)
    parameter = try QuantizationParameter(&node)
    let code = node.opset >= 23 ? try node.int("output_dtype", default: 0) : 0
    target = code == 0 ? nil : Int32(exactly: code).flatMap(DataType.init(rawValue:))
    guard code == 0 || target?.isFloatingPoint == true else {
      throw .unsupported("results of element type \(code) are not implemented")
    }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.integers.require(type.dataType, operand: 0)
    let scale = try inputs.tensorType(1)
    try ElementTypes.floatingPoint.require(scale.dataType, operand: 1)
    let zero = try inputs.optionalTensorType(2)
    try parameter.require(scale.shape, fits: type.shape)
    try parameter.require(zero?.shape, fits: type.shape)
    if let own = zero?.dataType, let other = type.dataType, own != other {
      throw .badOperands("the zero point is \(own), the operand \(other)")
    }
    return [ValueFact(target ?? scale.dataType, type.shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let (x, scale) = (try inputs.tensor(0), try inputs.tensor(1))
    var zero = try inputs.optionalTensor(2)
    if let given = zero { zero = try parameter.spread(given, over: x.shape, context) }
    let factor = try parameter.spread(scale, over: x.shape, context).cast(to: .float32, context)
    let centered = try Quantizing.centered(x, zero: zero, as: .float32, context)
    let result = try context.tensor(.float32, x.shape) { (output) throws(KernelError) in
      try Elementwise.binary(.multiply, centered, factor, into: output)
    }
    return [.tensor(try result.cast(to: target ?? scale.dataType, context))]
  }
}
