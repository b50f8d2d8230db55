import GraphIR
import Kernels
import Tensors

/// [ReduceLogSumExp](https://onnx.ai/onnx/operators/onnx__ReduceLogSumExp.html): the logarithm of the
/// sum of exponentials along some axes, computed after the largest element is taken away.
///
/// Only for floating-point numbers.
struct ReduceLogSumExp: ReductionOperator {
  static let key: OpKey = "ReduceLogSumExp"
  static let versions = 7...24
  static let operation = ReductionOperation.maximum
  static let arithmetic: ElementArithmetic? = nil

  let axes: ReducedAxes

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let reduced = try axes.resolve(try inputs.integers(1), rank: x.rank)
    let kept = try Shape.checked(
      x.shape.dimensions.enumerated().map { reduced.contains($0.offset) ? 1 : $0.element })
    let shape = try Shape.checked(axes.shape(of: x.shape.dimensions, reduced))
    let zero = try Tensor.scalar(0, as: x.dataType)
    let largest = try context.tensor(x.dataType, kept) { (output) throws(KernelError) in
      try Reduction.reduce(.maximum, x, axes: reduced, into: output)
    }
    let gap = try context.tensor(x.dataType, kept) { (output) throws(KernelError) in
      try Elementwise.binary(.subtract, largest, largest, into: output)
    }
    let isFinite = try context.tensor(.bool, kept) { (output) throws(KernelError) in
      try Elementwise.compare(.equal, gap, zero, into: output)
    }
    let shift = try context.tensor(x.dataType, kept) { (output) throws(KernelError) in
      Elementwise.select(isFinite, largest, zero, into: output)
    }
    let terms = try context.tensor(x.dataType, x.shape) { (output) throws(KernelError) in
      try Elementwise.binary(.subtract, x, shift, into: output)
      try Elementwise.unary(.exponential, output, into: output)
    }
    let result = try context.tensor(x.dataType, kept) { (output) throws(KernelError) in
      try Reduction.reduce(.sum, terms, axes: reduced, into: output)
      try Elementwise.unary(.logarithm, output, into: output)
      try Elementwise.binary(.add, output, shift, into: output)
    }
    return [.tensor(result.view(shape: shape, strides: shape.rowMajorStrides))]
  }
}
