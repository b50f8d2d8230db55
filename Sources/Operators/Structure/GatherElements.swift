import GraphIR
import Kernels
import Tensors

/// [GatherElements](https://onnx.ai/onnx/operators/onnx__GatherElements.html): single elements,
/// picked along one axis by an index for each.
struct GatherElements: Operator {
  static let key: OpKey = "GatherElements"
  static let versions = 11...24

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
    if let shape = data.shape, let indexShape = indices.shape {
      try Indices.requireLines(of: shape, indexShape, axis: axis)
    }
    return [ValueFact(data.dataType, indices.shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    let indices = try inputs.tensor(1)
    let axis = try Indices.requireLines(
      of: [Dimension](data.shape), [Dimension](indices.shape), axis: axis)
    let positions = try Indices.read(indices, size: data.shape[axis])
    let result = try context.makeTensor(data.dataType, indices.shape)
    Indexing.gatherElements(data, axis: axis, positions, into: result)
    return [.tensor(result)]
  }
}
