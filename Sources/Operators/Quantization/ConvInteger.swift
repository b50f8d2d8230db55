import GraphIR
import Tensors

/// [ConvInteger](https://onnx.ai/onnx/operators/onnx__ConvInteger.html): a convolution of 8-bit
/// numbers, less their zero points, in int32.
struct ConvInteger: Operator {
  static let key: OpKey = "ConvInteger"
  static let versions = 10...24

  private let convolution: Conv

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...4)
    convolution = try Conv(attributesOf: &node)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    try Quantizing.require8Bits(inputs, [0, 1, 2, 3])
    let shape = try convolution.shape(
      try inputs.tensorType(0).shape, try inputs.tensorType(1).shape, bias: nil, context)
    return [ValueFact(.int32, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let sums = try convolution.integerSums(
      try inputs.tensor(0), zero: try inputs.optionalTensor(2), try inputs.tensor(1),
      zero: try inputs.optionalTensor(3), bias: nil, context)
    return [.tensor(try sums.cast(to: .int32, context))]
  }

  /// 2 · output elements · elements of one filter; the bias is not counted.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    guard let weight = inputs.optional(1)?.shape else { return nil }
    return Flops.product(outputs.first, inner: weight.dropFirst().reduce(1, *))
  }
}
