import GraphIR
import Kernels
import Tensors

/// [MatMulInteger](https://onnx.ai/onnx/operators/onnx__MatMulInteger.html): the product of stacks of
/// 8-bit matrices, less their zero points, in int32.
struct MatMulInteger: Operator {
  static let key: OpKey = "MatMulInteger"
  static let versions = 10...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...4)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    try Quantizing.require8Bits(inputs, [0, 1, 2, 3])
    let shape = try MatMul.shape(try inputs.tensorType(0).shape, try inputs.tensorType(1).shape)
    return [ValueFact(.int32, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let product = try Quantizing.product(
      try inputs.tensor(0), zero: try inputs.optionalTensor(2), try inputs.tensor(1),
      zero: try inputs.optionalTensor(3), context)
    return [.tensor(product)]
  }

  /// 2 · output elements · inner length.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    Flops.product(outputs.first, inner: inputs.optional(0)?.shape?.last)
  }
}

extension Quantizing {
  /// The int32 product of stacks of matrices less their zero points, which are one number, or one
  /// for each row of `a` or column of `b`.
  static func product(
    _ a: Tensor, zero aZero: Tensor?, _ b: Tensor, zero bZero: Tensor?, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    let left = try centered(a, zero: aZero.map(column), as: .int32, context)
    let right = try centered(b, zero: bZero, as: .int32, context)
    let dimensions = try MatMul.product([Dimension](a.shape), [Dimension](b.shape))
    return try context.tensor(.int32, try .concrete(dimensions)) { (output) throws(KernelError) in
      try MatrixMultiplication.multiply(left, right, into: output)
    }
  }

  /// A vector as a column.
  private static func column(_ vector: Tensor) -> Tensor {
    guard vector.rank == 1, vector.elementCount > 1,
      let shape = try? Shape([vector.shape[0], 1])
    else { return vector }
    return vector.view(shape: shape, strides: [vector.strides[0], 0])
  }
}
