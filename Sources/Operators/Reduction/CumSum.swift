import GraphIR
import Kernels
import Tensors

/// [CumSum](https://onnx.ai/onnx/operators/onnx__CumSum.html): the sums of all elements up to each
/// one along an axis, itself included or not, from either end.
struct CumSum: Operator {
  static let key: OpKey = "CumSum"
  static let versions = 11...24

  private let isExclusive: Bool
  private let isReversed: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
    isExclusive = try node.flag("exclusive", default: false)
    isReversed = try node.flag("reverse", default: false)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.numbers.require(type.dataType, operand: 0)
    let axis = try inputs.tensorType(1)
    try ElementTypes.integers.require(axis.dataType, operand: 1)
    if let shape = type.shape, let axis = inputs.optional(1)?.integers?.first {
      _ = try Axes.normalize(axis, rank: shape.count)
    }
    return [ValueFact(type.dataType, type.shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    guard let number = try inputs.integers(1), number.count == 1 else {
      throw .badOperands("the axis is not one number")
    }
    let axis = try Axes.normalize(number[0], rank: x.rank)
    let result = try context.tensor(x.dataType, x.shape) { output throws(KernelError) in
      try Scanning.sums(
        x, axis: axis, isExclusive: isExclusive, isReversed: isReversed, into: output)
    }
    return [.tensor(result)]
  }
}
