import GraphIR
import Kernels
import Tensors

/// [LogSoftmax](https://onnx.ai/onnx/operators/onnx__LogSoftmax.html): x minus the logarithm of the
/// sum of e^x along one axis.
///
/// Before opset 13 the sum runs over all axes from `axis`, by default 1, to the last.
struct LogSoftmax: Operator {
  static let key: OpKey = "LogSoftmax"
  static let versions = 7...24

  private let axis: SoftmaxAxis

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    axis = try SoftmaxAxis(&node)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    [try axis.infer(inputs)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let (view, axis) = try axis.view(of: x)
    var sums = view.shape.dimensions
    sums[axis] = 1
    let sum = try context.makeTensor(x.dataType, try Shape.checked(sums))
    let shifted = try context.makeTensor(x.dataType, view.shape)
    let result = try context.tensor(x.dataType, x.shape) { (output) throws(KernelError) in
      let target = output.view(shape: view.shape, strides: view.shape.rowMajorStrides)
      try Reduction.reduce(.maximum, view, axes: [axis], into: sum)
      try Elementwise.binary(.subtract, view, sum, into: shifted)
      try Elementwise.unary(.exponential, shifted, into: target)
      try Reduction.reduce(.sum, target, axes: [axis], into: sum)
      try Elementwise.unary(.logarithm, sum, into: sum)
      try Elementwise.binary(.subtract, shifted, sum, into: target)
    }
    return [.tensor(result)]
  }
}
