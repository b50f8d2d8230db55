import GraphIR
import Kernels
import Tensors

/// [Clip](https://onnx.ai/onnx/operators/onnx__Clip.html): every element moved into a range.
///
/// The bounds are attributes before opset 11 and optional scalar operands from there on. A lower
/// bound above the upper one yields the upper one; NaN stays NaN.
struct Clip: Operator {
  static let key: OpKey = "Clip"
  static let versions = 7...24

  private let least: Float?
  private let largest: Float?

  init(_ node: inout NodeReader) throws(OperatorError) {
    let takesOperands = node.opset >= 11
    try node.requireInputs(1...(takesOperands ? 3 : 1))
    least = takesOperands ? nil : try node.float("min")
    largest = takesOperands ? nil : try node.float("max")
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let dataType = try inputs.sharedDataType(.numbers, of: inputs.indices)
    for position in 1..<3 {
      guard let shape = try inputs.optionalTensorType(position)?.shape else { continue }
      guard shape.allSatisfy({ $0.value == nil || $0.value == 1 }) else {
        throw .badOperands("bound \(position) has shape \(shape), a scalar is expected")
      }
    }
    return [ValueFact(dataType, try inputs.tensorType(0).shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let lower = try bound(inputs, 1, least, x.dataType)
    let upper = try bound(inputs, 2, largest, x.dataType)
    guard lower != nil || upper != nil else { return [.tensor(x)] }
    let result = try context.tensor(x.dataType, x.shape) { (output) throws(KernelError) in
      if let lower { try Elementwise.binary(.maximum, x, lower, into: output) }
      if let upper {
        try Elementwise.binary(.minimum, lower == nil ? x : output, upper, into: output)
      }
    }
    return [.tensor(result)]
  }

  private func bound(
    _ inputs: [RuntimeValue?], _ position: Int, _ attribute: Float?, _ dataType: DataType
  ) throws(OperatorError) -> Tensor? {
    if let tensor = try inputs.optionalTensor(position) {
      return tensor.view(shape: .scalar, strides: [])
    }
    guard let attribute else { return nil }
    return try Tensor.scalar(attribute, as: dataType)
  }
}
