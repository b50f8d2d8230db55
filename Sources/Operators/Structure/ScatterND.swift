import GraphIR
import Kernels
import Tensors

/// [ScatterND](https://onnx.ai/onnx/operators/onnx__ScatterND.html): a copy of the data with slices
/// replaced, or combined with updates, at index tuples, the last axis of the indices.
struct ScatterND: Operator {
  static let key: OpKey = "ScatterND"
  static let versions = 11...24

  private let reduction: ScatterReduction

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(3...3)
    reduction = try ScatterReduction(&node)
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let data = try inputs.required(0)
    if let shape = data.shape, let indices = try inputs.required(1).shape,
      let updates = try inputs.required(2).shape, indices.last?.value != nil
    {
      _ = try tupleCount(shape, indices, updates)
    }
    return [ValueFact(.tensor(data.dataType, data.shape))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let data = try inputs.tensor(0)
    let indices = try inputs.tensor(1)
    let updates = try inputs.tensor(2)
    let tupleCount = try tupleCount(
      [Dimension](data.shape), [Dimension](indices.shape), [Dimension](updates.shape))
    guard updates.dataType == data.dataType else {
      throw .badOperands("updates are \(updates.dataType), the data are \(data.dataType)")
    }
    let offsets = try Indices.offsets(
      of: indices, tupleCount: tupleCount, in: data.shape, batchAxisCount: 0)
    let count = data.shape.dimensions[tupleCount...].reduce(1, *)
    return [
      .tensor(
        try context.tensor(data.dataType, data.shape) { result throws(KernelError) in
          Copying.copy(data, into: result)
          try Indexing.scatterBlocks(
            updates, at: offsets, count: count, reduction, into: result)
        })
    ]
  }

  private func tupleCount(
    _ data: [Dimension], _ indices: [Dimension], _ updates: [Dimension]
  ) throws(OperatorError) -> Int {
    guard let tupleCount = indices.last?.value, tupleCount >= 1, tupleCount <= data.count else {
      throw .badOperands("indices \(indices) do not point into data \(data)")
    }
    let expected = Array(indices.dropLast() + data[tupleCount...])
    let agree =
      expected.count == updates.count
      && zip(expected, updates).allSatisfy { $0.value == nil || $1.value == nil || $0 == $1 }
    guard agree else {
      throw .badOperands("updates \(updates) should have the shape \(expected)")
    }
    return tupleCount
  }
}
