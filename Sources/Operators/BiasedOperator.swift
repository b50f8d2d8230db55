import GraphIR
import Kernels
import Tensors

/// An operator that applies one function to every element of x + bias; the bias broadcasts to x and
/// may be left out where the operator says so.
protocol BiasedOperator: PlacedOperator, ElementwiseOperator {
  /// The function.
  var operation: UnaryOperation { get }
}

extension BiasedOperator {
  var overwritableOperands: [Int] { [0] }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let dataType = try inputs.sharedDataType(.floatingPoint, of: inputs.indices)
    let shape = try inputs.tensorType(0).shape
    if let shape, let bias = try inputs.optionalTensorType(1)?.shape {
      guard try Broadcasting.infer([shape, bias])?.count == shape.count else {
        throw .badOperands("a bias of shape \(bias) does not broadcast to \(shape)")
      }
    }
    return [ValueFact(dataType, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let (x, bias) = (try inputs.tensor(0), try inputs.optionalTensor(1))
    let y = try context.result(x.dataType, x.shape) { (output) throws(KernelError) in
      guard let bias else { return try Elementwise.unary(operation, x, into: output) }
      try Elementwise.binary(.add, x, bias, into: output)
      try Elementwise.unary(operation, output, into: output)
    }
    return [.tensor(y)]
  }
}
