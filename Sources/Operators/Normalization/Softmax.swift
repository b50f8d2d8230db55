import GraphIR
import Kernels
import Tensors

/// [Softmax](https://onnx.ai/onnx/operators/onnx__Softmax.html): e^x over its sum along one axis.
///
/// Before opset 13 the sum runs over all axes from `axis`, by default 1, to the last.
struct Softmax: PlacedOperator {
  static let key: OpKey = "Softmax"
  static let versions = 7...24

  private let axis: SoftmaxAxis

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(1...1)
    axis = try SoftmaxAxis(&node)
  }

  var overwritableOperands: [Int] { [0] }

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
    let result = try context.result(x.dataType, x.shape) { (output) throws(KernelError) in
      let target = output.view(shape: view.shape, strides: view.shape.rowMajorStrides)
      try Normalization.softmax(view, axis: axis, into: target)
    }
    return [.tensor(result)]
  }
}
