import GraphIR
import Kernels
import Tensors

/// [LayerNormalization](https://onnx.ai/onnx/operators/onnx__LayerNormalization.html):
/// (x − mean) / √(variance + `epsilon`) · scale + bias over the axes from `axis` on.
///
/// Statistics are always gathered in at least float32; mean and 1 / √(variance + `epsilon`) are
/// float32 results of their own on request.
struct LayerNormalization: Operator {
  static let key: OpKey = "LayerNormalization"
  static let versions = 17...24

  private let axis: Int
  private let epsilon: Float
  private let resultCount: Int

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...3)
    resultCount = node.outputCount
    guard (1...3).contains(resultCount) else {
      throw .badOperands("\(resultCount) results are asked for")
    }
    axis = try node.int("axis", default: -1)
    epsilon = try node.float("epsilon", default: 1e-5)
    try Normalizing.requireFloatStatistics(&node)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let fact = try Normalizing.infer(inputs, axis: axis)
    guard resultCount > 1 else { return [fact] }
    var reduced = fact.shape
    if let shape = fact.shape {
      for position in try Axes.normalize(axis, rank: shape.count)..<shape.count {
        reduced?[position] = 1
      }
    }
    let statistic = ValueFact(.float32, reduced)
    return [fact] + (1..<resultCount).map { _ in statistic }
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let scale = try inputs.tensor(1)
    let bias = try inputs.optionalTensor(2)
    let axis = try Axes.normalize(axis, rank: x.rank)
    let result = try context.tensor(x.dataType, x.shape) { (output) throws(KernelError) in
      try Normalization.layerNorm(
        x, axis: axis, scale: scale, bias: bias, epsilon: epsilon, into: output)
    }
    guard resultCount > 1 else { return [.tensor(result)] }
    let (mean, factor) = try Normalizing.statistics(
      x, axes: Array(axis..<x.rank), epsilon, context)
    return [.tensor(result), .tensor(mean)] + (resultCount > 2 ? [.tensor(factor)] : [])
  }
}
