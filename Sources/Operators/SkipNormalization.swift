import GraphIR
import Kernels
import Tensors

/// An operator that adds two tensors, and a bias, and normalises the sum over its last axis.
///
/// Operands are input, skip, scale and, from `biasPosition` on, the bias that is added; results are the normalised sum and, as the fourth, the sum itself. Mean and deviation are
/// refused.
protocol SkipNormalization: Operator {
  /// The number of operands before the bias.
  static var biasPosition: Int { get }

  var epsilon: Float { get }
  var resultCount: Int { get }

  init(epsilon: Float, resultCount: Int)

  /// Normalises over the last axis.
  func normalize(
    _ sum: Tensor, _ inputs: [RuntimeValue?], into output: Tensor
  ) throws(OperatorError)
}

extension SkipNormalization {
  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(3...Self.biasPosition + 1)
    for position in 1..<3 where node.hasOutput(position) {
      throw .unsupported("result \(position) of this operator is not implemented")
    }
    self.init(
      epsilon: try node.float("epsilon", default: 1e-12), resultCount: node.hasOutput(3) ? 4 : 1)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let dataType = try inputs.sharedDataType(.floatingPoint, of: inputs.indices)
    let shape = try inputs.tensorType(0).shape
    for position in inputs.indices.dropFirst() {
      guard let shape, let own = try inputs.optionalTensorType(position)?.shape else { continue }
      guard try Broadcasting.infer([shape, own])?.count == shape.count else {
        throw .badOperands("operand \(position) of shape \(own) does not broadcast to \(shape)")
      }
    }
    return (0..<resultCount).map { _ in ValueFact(dataType, shape) }
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let (x, skip) = (try inputs.tensor(0), try inputs.tensor(1))
    let bias = try inputs.optionalTensor(Self.biasPosition)
    let sum = try context.tensor(x.dataType, x.shape) { (output) throws(KernelError) in
      if let bias { try Elementwise.binary(.add, x, bias, into: output) }
      try Elementwise.binary(.add, bias == nil ? x : output, skip, into: output)
    }
    let result = try context.makeTensor(x.dataType, x.shape)
    try normalize(sum, inputs, into: result)
    guard resultCount > 1 else { return [.tensor(result)] }
    return [.tensor(result), .absent, .absent, .tensor(sum)]
  }
}
