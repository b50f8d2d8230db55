import GraphIR
import Kernels
import Tensors

/// [GatherND](https://onnx.ai/onnx/operators/onnx__GatherND.html): slices picked by index tuples,
/// the last axis of the indices.
struct GatherND: Operator {
  static let key: OpKey = "GatherND"
  static let versions = 11...24

  private let batchAxisCount: Int

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
    batchAxisCount = node.opset < 12 ? 0 : try node.int("batch_dims", default: 0)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    let indices = try inputs.required(1)
    guard let shape = data.shape, let indexShape = indices.shape,
      indexShape.isEmpty || indexShape[indexShape.count - 1].value != nil
    else { return [ValueFact(data.dataType, nil)] }
    return [ValueFact(data.dataType, try gathered(shape, indexShape).shape)]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    let indices = try inputs.tensor(1)
    let (shape, tupleCount) = try gathered([Dimension](data.shape), [Dimension](indices.shape))
    let result = try context.makeTensor(data.dataType, .concrete(shape))
    let offsets = try Indices.offsets(
      of: indices, tupleCount: tupleCount, in: data.shape, batchAxisCount: batchAxisCount)
    let count = data.shape.dimensions[(batchAxisCount + tupleCount)...].reduce(1, *)
    try OperatorError.translating { () throws(KernelError) in
      try Indexing.gatherBlocks(data, at: offsets, count: count, into: result)
    }
    return [.tensor(result)]
  }

  private func gathered(
    _ data: [Dimension], _ indices: [Dimension]
  ) throws(OperatorError) -> (shape: [Dimension], tupleCount: Int) {
    guard let tupleCount = indices.last?.value, tupleCount >= 1, batchAxisCount >= 0,
      batchAxisCount < indices.count, batchAxisCount + tupleCount <= data.count
    else {
      throw .badOperands(
        "indices \(indices) do not fit data \(data) with 'batch_dims' \(batchAxisCount)")
    }
    for axis in 0..<batchAxisCount {
      if let a = data[axis].value, let b = indices[axis].value, a != b {
        throw .badOperands("indices \(indices) and data \(data) differ at batch axis \(axis)")
      }
    }
    let shape = indices.dropLast() + data[(batchAxisCount + tupleCount)...]
    return (Array(shape), tupleCount)
  }
}
