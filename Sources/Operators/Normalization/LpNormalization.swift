import GraphIR
import Kernels
import Tensors

/// [LpNormalization](https://onnx.ai/onnx/operators/onnx__LpNormalization.html): x over its 1-norm or
/// 2-norm along an axis; zeros stay zeros.
struct LpNormalization: Operator {
  static let key: OpKey = "LpNormalization"
  static let versions = 1...24

  private let axis: Int
  private let power: Int

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    axis = try node.int("axis", default: -1)
    power = try node.int("p", default: 2)
    guard power == 1 || power == 2 else { throw .badOperands("attribute 'p' is \(power)") }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    try ElementTypes.floatingPoint.require(type.dataType, operand: 0)
    if let shape = type.shape { _ = try Axes.normalize(axis, rank: shape.count) }
    return [ValueFact(.tensor(type))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let axis = try Axes.normalize(axis, rank: x.rank)
    var dimensions = x.shape.dimensions
    dimensions[axis] = 1
    let shape = try Shape.checked(dimensions)
    let zero = try Tensor.scalar(0, as: x.dataType)
    let norm = try context.tensor(x.dataType, shape) { (output) throws(KernelError) in
      try Reduction.reduce(
        power == 1 ? .sumOfMagnitudes : .sumOfSquares, x, axes: [axis], into: output)
      if power == 2 { try Elementwise.unary(.squareRoot, output, into: output) }
    }
    let isZero = try context.tensor(.bool, shape) { (output) throws(KernelError) in
      try Elementwise.compare(.equal, norm, zero, into: output)
    }
    let result = try context.tensor(x.dataType, x.shape) { (output) throws(KernelError) in
      try Elementwise.binary(.divide, x, norm, into: output)
      Elementwise.select(isZero, zero, output, into: output)
    }
    return [.tensor(result)]
  }
}
