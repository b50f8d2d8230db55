import GraphIR
import Kernels
import Tensors

/// SimplifiedLayerNormalization, which ONNX Runtime registers in ONNX's own domain
/// (https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/graph/contrib_ops/contrib_defs.cc):
/// x / √(mean of x² + `epsilon`) · scale over the axes from `axis` on.
///
/// The second result, 1 / √(…), is refused.
struct SimplifiedLayerNormalization: Operator {
  static let key: OpKey = "SimplifiedLayerNormalization"
  static let versions = 1...24

  private let axis: Int
  private let epsilon: Float

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
    try node.allowOutputs(1)
    axis = try node.int("axis", default: -1)
    epsilon = try node.float("epsilon", default: 1e-5)
    try Normalizing.requireFloatStatistics(&node)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    [try Normalizing.infer(inputs, axis: axis)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let (x, scale) = (try inputs.tensor(0), try inputs.tensor(1))
    let axis = try Axes.normalize(axis, rank: x.rank)
    let result = try context.tensor(x.dataType, x.shape) { (output) throws(KernelError) in
      try Normalization.rmsNorm(x, axis: axis, scale: scale, epsilon: epsilon, into: output)
    }
    return [.tensor(result)]
  }
}
