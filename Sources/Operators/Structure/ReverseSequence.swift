import GraphIR
import Kernels
import Tensors

/// [ReverseSequence](https://onnx.ai/onnx/operators/onnx__ReverseSequence.html): the first elements of
/// each sequence of a batch in reverse order.
struct ReverseSequence: Operator {
  static let key: OpKey = "ReverseSequence"
  static let versions = 10...24

  private let batchAxis: Int
  private let timeAxis: Int

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...2)
    batchAxis = try node.int("batch_axis", default: 1)
    timeAxis = try node.int("time_axis", default: 0)
    guard Set([batchAxis, timeAxis]) == [0, 1] else {
      throw .badOperands("axes \(batchAxis) and \(timeAxis) are not 0 and 1")
    }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let type = try inputs.tensorType(0)
    if let shape = type.shape, shape.count < 2 {
      throw .badOperands("shape \(shape) is not that of sequences")
    }
    return [ValueFact(.tensor(type))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let x = try inputs.tensor(0)
    let lengths = try inputs.integers(1) ?? []
    guard lengths.count == x.shape[batchAxis] else {
      throw .badOperands("\(lengths.count) lengths for \(x.shape[batchAxis]) sequences")
    }
    let result = try context.makeTensor(x.dataType, x.shape)
    Copying.copy(x, into: result)
    for (sample, length) in lengths.enumerated() {
      guard (0...x.shape[timeAxis]).contains(length) else {
        throw .badOperands("a length of \(length) is outside \(x.shape[timeAxis])")
      }
      guard length > 0 else { continue }
      let source = x.sliced(axis: batchAxis, first: sample, count: 1)
      let target = result.sliced(axis: batchAxis, first: sample, count: 1)
      Copying.copy(
        source.sliced(axis: timeAxis, first: length - 1, count: length, step: -1),
        into: target.sliced(axis: timeAxis, first: 0, count: length))
    }
    return [.tensor(result)]
  }
}
