import GraphIR
import Kernels
import Tensors

/// [Hardmax](https://onnx.ai/onnx/operators/onnx__Hardmax.html): 1 for the largest element along an
/// axis, the first of equals, and 0 for the others.
struct Hardmax: Operator {
  static let key: OpKey = "Hardmax"
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
    let result = try context.makeTensor(x.dataType, x.shape)
    Copying.clear(result)
    guard x.elementCount > 0 else { return [.tensor(result)] }
    var dimensions = view.shape.dimensions
    dimensions[axis] = 1
    let shape = try Shape.checked(dimensions)
    let places = try context.tensor(.int64, shape) { (output) throws(KernelError) in
      try Searching.positionOfExtreme(view, axis: axis, takesLast: false, into: output)
    }
    let target = result.view(shape: view.shape, strides: view.shape.rowMajorStrides)
    let ones = try Tensor.scalar(1, as: x.dataType)
      .view(shape: shape, strides: [Int](repeating: 0, count: shape.rank))
    try OperatorError.translating { () throws(KernelError) in
      try Indexing.scatterElements(
        ones, axis: axis, places.elements(as: Int64.self).map { Int($0) }, .none, into: target)
    }
    return [.tensor(result)]
  }
}
