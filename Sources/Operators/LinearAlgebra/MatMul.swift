import GraphIR
import Kernels
import Tensors

/// [MatMul](https://onnx.ai/onnx/operators/onnx__MatMul.html): products of stacks of matrices, as
/// `numpy.matmul`.
struct MatMul: Operator {
  static let key: OpKey = "MatMul"
  static let versions = 7...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let dataType = try inputs.sharedDataType(.numbers, of: 0...1)
    let shape = try Self.shape(
      try inputs.tensorType(0).shape, try inputs.tensorType(1).shape, context)
    return [ValueFact(dataType, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let (a, b) = (try inputs.tensor(0), try inputs.tensor(1))
    let dimensions = try Self.product(
      a.shape.dimensions.map { Dimension($0) }, b.shape.dimensions.map { Dimension($0) })
    let shape = try Shape.checked(dimensions.compactMap(\.value))
    let result = try context.tensor(a.dataType, shape) { (output) throws(KernelError) in
      try MatrixMultiplication.multiply(a, b, into: output)
    }
    return [.tensor(result)]
  }

  /// 2 · output elements · inner length.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    Flops.product(outputs.first, inner: inputs.optional(0)?.shape?.last)
  }

  /// The shape of the product, nil while a rank is unknown.
  static func shape(
    _ a: [Dimension]?, _ b: [Dimension]?, _ context: (any InferenceContext)? = nil
  ) throws(OperatorError) -> [Dimension]? {
    guard let a, let b else { return nil }
    return try product(a, b, context)
  }

  /// The shape of the product of stacks of matrices.
  static func product(
    _ a: [Dimension], _ b: [Dimension], _ context: (any InferenceContext)? = nil
  ) throws(OperatorError) -> [Dimension] {
    guard let width = a.last, let last = b.last else {
      throw .badOperands("a matrix product of shapes \(a) and \(b) is not defined")
    }
    let height = b.count > 1 ? b[b.count - 2] : last
    if let width = width.value, let height = height.value, width != height {
      throw .badOperands("a matrix product of shapes \(a) and \(b): \(width) is not \(height)")
    }
    if width != height { _ = context?.assumeEqual(width, height) }
    let batches = [Array(a.dropLast(2)), Array(b.dropLast(2))]
    guard let batch = try Broadcasting.infer(batches, context) else { return [] }
    let rows = a.count > 1 ? [a[a.count - 2]] : []
    return batch + rows + (b.count > 1 ? [last] : [])
  }
}
