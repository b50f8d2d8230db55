import GraphIR
import Tensors

/// [QuantizeLinear](https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html): x / scale rounded to
/// the nearest integer (ties to even), moved by a zero point and saturated.
///
/// For 8-bit and 16-bit integers; divided in float32, float64 in its own precision.
struct QuantizeLinear: Operator {
  static let key: OpKey = "QuantizeLinear"
  static let versions = 10...24

  private let parameter: QuantizationParameter
  private let target: DataType?

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...3)
    parameter = try QuantizationParameter(&node)
    if node.opset >= 19 { node.skip("saturate") }
    if node.opset >= 23, let code = try node.int("precision"), code != 0,
      code != Int(DataType.float32.rawValue)
    {
      throw .unsupported("attribute 'precision' is \(code), quotients are float32")
    }
    let code = node.opset >= 21 ? try node.int("output_dtype", default: 0) : 0
    target = code == 0 ? nil : Int32(exactly: code).flatMap(DataType.init(rawValue:))
    if code != 0 { try Self.require(target) }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    let zero = try inputs.optionalTensorType(2)
    try parameter.require(try inputs.tensorType(1).shape, fits: type.shape)
    try parameter.require(zero?.shape, fits: type.shape)
    if let own = zero?.dataType { try Self.require(own) }
    if let own = zero?.dataType, let target, own != target {
      throw .badOperands("the zero point is \(own), the result \(target)")
    }
    let isOpen = target == nil && zero != nil && zero?.dataType == nil
    return [ValueFact(isOpen ? nil : target ?? zero?.dataType ?? .uint8, type.shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let scale = try parameter.spread(try inputs.tensor(1), over: x.shape, context)
    var zero = try inputs.optionalTensor(2)
    let target = target ?? zero?.dataType ?? .uint8
    try Self.require(target)
    if let given = zero { zero = try parameter.spread(given, over: x.shape, context) }
    return [.tensor(try Quantizing.quantize(x, scale: scale, zero: zero, to: target, context))]
  }

  private static func require(_ type: DataType?) throws(OperatorError) {
    guard let type, [.int8, .uint8, .int16, .uint16].contains(type) else {
      throw .unsupported("numbers cannot be quantised to this type")
    }
  }
}
