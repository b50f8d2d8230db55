import GraphIR

/// An operator that ONNX Runtime fused with the activation behind it.
protocol FusedOperator: Operator {
  /// What the operator is without the activation.
  associatedtype Unfused: Operator

  /// The operator without the activation.
  var operation: Unfused { get }

  /// The activation, nil for none.
  var activation: Activation.Fused? { get }
}

extension FusedOperator {
  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    try operation.infer(inputs, context)
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let results = try operation.run(inputs, context)
    try activation?.apply(to: results[0].tensor())
    return results
  }

  /// Those of the operator without the activation.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    operation.flops(inputs: inputs, outputs: outputs)
  }
}
