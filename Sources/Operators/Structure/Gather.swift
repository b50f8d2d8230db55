import GraphIR
import Kernels
import Tensors

/// [Gather](https://onnx.ai/onnx/operators/onnx__Gather.html): whole slices of one axis, picked by
/// index.
struct Gather: Operator {
  static let key: OpKey = "Gather"
  static let versions = 1...24

  private let axis: Int

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
    axis = try node.int("axis", default: 0)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    let indices = try inputs.required(1)
    guard let dataShape = data.shape, let indexShape = indices.shape else {
      return [ValueFact(data.dataType, nil)]
    }
    let shape = try gathered(dataShape, indexShape)
    var fact = ValueFact(data.dataType, shape)
    if let picked = indices.integers {
      let size = dataShape[try Axes.normalize(axis, rank: dataShape.count)].value
      let positions = try size.map { size throws(OperatorError) in
        try Indices.normalize(picked, size: size)
      }
      fact.elements = try ElementMovement.follow([data], to: shape) {
        tensors throws(OperatorError) in
        let result = Tensor(
          [Int64](repeating: 0, count: shape.product.value ?? 0), shape: try .concrete(shape))
        try gather(tensors[0], positions ?? [], into: result)
        return result
      }
    }
    return [fact]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    let indices = try inputs.tensor(1)
    let axis = try Axes.normalize(axis, rank: data.rank)
    let positions = try Indices.read(indices, size: data.shape[axis])
    if indices.rank == 0 {
      let slice = data.sliced(axis: axis, first: positions[0], count: 1)
      var shape = data.shape.dimensions
      shape.remove(at: axis)
      return [.tensor(try slice.reshaped(to: .checked(shape), context))]
    }
    let shape = try gathered(data.shape.dimensions, indices.shape.dimensions)
    let result = try context.makeTensor(data.dataType, .checked(shape))
    try gather(data, positions, into: result)
    return [.tensor(result)]
  }

  private func gathered<Size>(
    _ data: [Size], _ indices: [Size]
  ) throws(OperatorError) -> [Size] {
    let axis = try Axes.normalize(axis, rank: data.count)
    return Array(data[..<axis]) + indices + Array(data[(axis + 1)...])
  }

  private func gather(
    _ data: Tensor, _ positions: [Int], into result: Tensor
  ) throws(OperatorError) {
    let axis = try Axes.normalize(axis, rank: data.rank)
    try OperatorError.translating { () throws(KernelError) in
      try Indexing.gather(data, axis: axis, positions, into: result)
    }
  }
}
