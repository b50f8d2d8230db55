import GraphIR
import Kernels
import Tensors

/// [QLinearMatMul](https://onnx.ai/onnx/operators/onnx__QLinearMatMul.html): the product of stacks of
/// quantised matrices, quantised again.
struct QLinearMatMul: Operator {
  static let key: OpKey = "QLinearMatMul"
  static let versions = 10...24

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(8...8)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    try Quantizing.require8Bits(inputs, [0, 2, 3, 5, 7])
    let shape = try MatMul.shape(try inputs.tensorType(0).shape, try inputs.tensorType(3).shape)
    return [ValueFact(try inputs.tensorType(7).dataType, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let product = try Quantizing.product(
      try inputs.tensor(0), zero: try inputs.tensor(2), try inputs.tensor(3),
      zero: try inputs.tensor(5), context)
    let zero = try inputs.tensor(7)
    let result = try Quantizing.rescale(
      product, try inputs.tensor(1), try inputs.tensor(4), by: try inputs.tensor(6), zero: zero,
      context)
    return [.tensor(result)]
  }

  /// 2 · output elements · inner length.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    Flops.product(outputs.first, inner: inputs.optional(0)?.shape?.last)
  }
}

extension Quantizing {
  /// round(x · a · b / y) + zero, saturated to the type of the zero point.
  ///
  /// Scales broadcast to x.
  static func rescale(
    _ x: Tensor, _ a: Tensor, _ b: Tensor, by y: Tensor, zero: Tensor, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    var value = try x.cast(to: .float64, context)
    for (operation, scale) in [
      (BinaryOperation.multiply, a), (.multiply, b), (.divide, y),
    ] {
      let (current, factor) = (value, try scale.cast(to: .float64, context))
      value = try context.tensor(.float64, x.shape) { (output) throws(KernelError) in
        try Elementwise.binary(operation, current, factor, into: output)
      }
    }
    let exact = value
    let rounded = try context.tensor(.float64, x.shape) { (output) throws(KernelError) in
      try Elementwise.unary(.round, exact, into: output)
    }
    return try saturate(rounded, zero: zero, to: zero.dataType, context)
  }
}
