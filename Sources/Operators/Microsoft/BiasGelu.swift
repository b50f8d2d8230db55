import GraphIR
import Kernels
import Tensors

/// [BiasGelu](https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#commicrosoftbiasgelu):
/// GELU of x + bias.
struct BiasGelu: Operator {
  static let key = OpKey("BiasGelu", domain: "com.microsoft")
  static let versions = 1...1

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let dataType = try inputs.sharedDataType(.floatingPoint, of: inputs.indices)
    let shape = try inputs.tensorType(0).shape
    if let shape, let bias = try inputs.optionalTensorType(1)?.shape {
      guard try Broadcasting.infer([shape, bias])?.count == shape.count else {
        throw .badOperands("a bias of shape \(bias) does not broadcast to \(shape)")
      }
    }
    return [ValueFact(dataType, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let bias = try inputs.optionalTensor(1)
    return [.tensor(try Activation.biased(try inputs.tensor(0), bias, .gelu, context))]
  }
}
