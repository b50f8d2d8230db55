import GraphIR
import Kernels
import Tensors

/// An operator that is x · sigmoid(`alpha` x).
protocol SwishOperator: ElementwiseOperator {
  /// The factor inside the sigmoid.
  var alpha: Float { get }
}

extension SwishOperator {
  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.floatingPoint.require(type.dataType, operand: 0)
    return [ValueFact(.tensor(type))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let factor = try Tensor.scalar(alpha, as: x.dataType)
    let y = try context.tensor(x.dataType, x.shape) { (output) throws(KernelError) in
      guard alpha != 1 else { return try Elementwise.unary(.silu, x, into: output) }
      try Elementwise.binary(.multiply, x, factor, into: output)
      try Elementwise.unary(.sigmoid, output, into: output)
      try Elementwise.binary(.multiply, x, output, into: output)
    }
    return [.tensor(y)]
  }
}
