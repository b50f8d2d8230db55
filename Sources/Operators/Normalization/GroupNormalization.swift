import GraphIR
import Kernels
import Tensors

/// [GroupNormalization](https://onnx.ai/onnx/operators/onnx__GroupNormalization.html): channels
/// normalised in groups, then scaled and shifted.
///
/// Scale and bias have one element for each group before opset 21, for each channel from there on.
struct GroupNormalization: Operator {
  static let key: OpKey = "GroupNormalization"
  static let versions = 18...24

  private let groups: Int
  private let epsilon: Float
  private let scalesGroups: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(3...3)
    guard let groups = try node.int("num_groups"), groups > 0 else {
      throw .badOperands("attribute 'num_groups' is missing or not positive")
    }
    self.groups = groups
    epsilon = try node.float("epsilon", default: 1e-5)
    scalesGroups = node.opset < 21
    try Normalizing.requireFloatStatistics(&node)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let fact = try Normalizing.inferChannels(inputs, parameters: scalesGroups ? groups : nil)
    if let channels = fact.shape?[1].value, channels % groups != 0 {
      throw .badOperands("\(channels) channels do not form \(groups) groups")
    }
    return [fact]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    [.tensor(try Normalizing.normalizeChannels(inputs, groups: groups, epsilon, context))]
  }
}
