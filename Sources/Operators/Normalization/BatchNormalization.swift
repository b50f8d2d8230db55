import GraphIR
import Kernels
import Tensors

/// [BatchNormalization](https://onnx.ai/onnx/operators/onnx__BatchNormalization.html): (x − mean) /
/// √(variance + `epsilon`) · scale + bias, each with one number for every channel.
///
/// Training, in which the operator gathers the statistics, is refused.
struct BatchNormalization: Operator {
  static let key: OpKey = "BatchNormalization"
  static let versions = 9...24

  private let epsilon: Float

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(5...5)
    try node.allowOutputs(1)
    epsilon = try node.float("epsilon", default: 1e-5)
    node.skip("momentum")
    if node.opset >= 14, try node.flag("training_mode", default: false) {
      throw .unsupported("training is not implemented")
    }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.floatingPoint.require(type.dataType, operand: 0)
    guard let shape = type.shape else { return [ValueFact(type.dataType, nil)] }
    guard shape.count > 1 else {
      throw .badOperands("an operand of shape \(shape) has no channels")
    }
    for position in 1...4 {
      guard let own = try inputs.tensorType(position).shape else { continue }
      let fits =
        own.count == 1 && (own[0].value == nil || shape[1].value == nil || own[0] == shape[1])
      guard fits else {
        throw .badOperands("operand \(position) of shape \(own) does not fit \(shape[1]) channels")
      }
    }
    return [ValueFact(type.dataType, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let type: DataType = x.dataType == .float64 ? .float64 : .float32
    let trailing = [Int](repeating: 1, count: x.rank - 2)
    var parameters: [Tensor] = []
    for position in 1...4 {
      let vector = try inputs.tensor(position).cast(to: type, context)
      parameters.append(
        vector.view(
          shape: try .checked([vector.shape[0]] + trailing),
          strides: [vector.strides[0]] + trailing.map { _ in 0 }))
    }
    let (scale, bias, mean, variance) = (
      parameters[0], parameters[1], parameters[2], parameters[3]
    )
    let wide = try x.cast(to: type, context)
    let small = try Tensor.scalar(epsilon, as: type)
    let factor = try context.tensor(type, variance.shape) { (output) throws(KernelError) in
      try Elementwise.binary(.add, variance, small, into: output)
      try Elementwise.unary(.squareRoot, output, into: output)
      try Elementwise.binary(.divide, scale, output, into: output)
    }
    let result = try context.tensor(type, x.shape) { (output) throws(KernelError) in
      try Elementwise.binary(.subtract, wide, mean, into: output)
      try Elementwise.binary(.multiply, output, factor, into: output)
      try Elementwise.binary(.add, output, bias, into: output)
    }
    return [.tensor(try result.cast(to: x.dataType, context))]
  }
}
