import GraphIR
import Tensors

/// [QLinearConv](https://onnx.ai/onnx/operators/onnx__QLinearConv.html): a convolution of
/// quantised numbers, quantised again.
struct QLinearConv: Operator {
  static let key: OpKey = "QLinearConv"
  static let versions = 10...24

  private let convolution: Conv

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(8...9)
    convolution = try Conv(attributesOf: &node)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    try Quantizing.require8Bits(inputs, [0, 2, 3, 5, 7])
    let shape = try convolution.shape(
      try inputs.tensorType(0).shape, try inputs.tensorType(3).shape,
      bias: try inputs.optionalTensorType(8)?.shape, context)
    return [ValueFact(try inputs.tensorType(7).dataType, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let sums = try convolution.integerSums(
      try inputs.tensor(0), zero: try inputs.tensor(2), try inputs.tensor(3),
      zero: try inputs.tensor(5), bias: try inputs.optionalTensor(8), context)
    let scale = try inputs.tensor(4).alongAxis1(ofRank: sums.rank)
    let result = try Quantizing.rescale(
      sums, try inputs.tensor(1), scale, by: try inputs.tensor(6), zero: try inputs.tensor(7),
      context)
    return [.tensor(result)]
  }

  /// 2 · output elements · elements of one filter; the bias is not counted.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    guard let weight = inputs.optional(3)?.shape else { return nil }
    return Flops.product(outputs.first, inner: weight.dropFirst().reduce(1, *))
  }
}
