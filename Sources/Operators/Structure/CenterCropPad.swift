import GraphIR
import Kernels
import Tensors

/// [CenterCropPad](https://onnx.ai/onnx/operators/onnx__CenterCropPad.html): the middle of the
/// operand, cut or surrounded with zeros to given sizes.
struct CenterCropPad: Operator {
  static let key: OpKey = "CenterCropPad"
  static let versions = 18...24

  private let axes: [Int]?

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
    axes = try node.ints("axes")
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    guard var shape = type.shape else { return [ValueFact(type.dataType, nil)] }
    let axes = try Axes.normalize(axes ?? Array(0..<shape.count), rank: shape.count)
    let sizes = inputs.optional(1)?.elements
    if let sizes, sizes.count != axes.count {
      throw .badOperands("\(sizes.count) sizes for \(axes.count) axes")
    }
    for (position, axis) in axes.enumerated() {
      shape[axis] = sizes?[position] ?? context.makeSymbol()
    }
    return [ValueFact(type.dataType, shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let axes = try Axes.normalize(axes ?? Array(0..<x.rank), rank: x.rank)
    guard let sizes = try inputs.integers(1), sizes.count == axes.count else {
      throw .badOperands("the sizes do not fit \(axes.count) axes")
    }
    var dimensions = x.shape.dimensions
    for (axis, size) in zip(axes, sizes) { dimensions[axis] = size }
    let result = try context.makeTensor(x.dataType, .checked(dimensions))
    Copying.clear(result)
    var (source, target) = (x, result)
    for axis in axes {
      let (own, size) = (x.shape[axis], result.shape[axis])
      let count = min(own, size)
      source = source.sliced(axis: axis, first: (own - count) / 2, count: count)
      target = target.sliced(axis: axis, first: (size - count) / 2, count: count)
    }
    Copying.copy(source, into: target)
    return [.tensor(result)]
  }
}
