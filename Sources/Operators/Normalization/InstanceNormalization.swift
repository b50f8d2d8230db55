import GraphIR
import Kernels
import Tensors

/// [InstanceNormalization](https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html): every
/// channel of every sample normalised by itself, then scaled and shifted.
struct InstanceNormalization: Operator {
  static let key: OpKey = "InstanceNormalization"
  static let versions = 7...24

  private let epsilon: Float

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(3...3)
    epsilon = try node.float("epsilon", default: 1e-5)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    [try Normalizing.inferChannels(inputs, parameters: nil)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let channels = try inputs.tensor(0).shape[1]
    return [.tensor(try Normalizing.normalizeChannels(inputs, groups: channels, epsilon, context))]
  }
}
