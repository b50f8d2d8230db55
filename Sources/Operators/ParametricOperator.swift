import GraphIR
import Kernels
import Tensors

/// An operator that applies one function with parameters to every element of one tensor and keeps
/// its type.
protocol ParametricOperator: PlacedOperator {
  /// The element types that ONNX allows.
  var elementTypes: ElementTypes { get }

  /// The function.
  var function: ParametricFunction { get }
}

extension ParametricOperator {
  var elementTypes: ElementTypes { .floatingPoint }

  var overwritableOperands: [Int] { [0] }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try elementTypes.require(type.dataType, operand: 0)
    return [ValueFact(.tensor(type))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let y = try context.result(x.dataType, x.shape) { (output) throws(KernelError) in
      try Elementwise.unary(function, x, into: output)
    }
    return [.tensor(y)]
  }
}
