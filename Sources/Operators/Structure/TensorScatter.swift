import GraphIR
import Kernels
import Tensors

/// [TensorScatter](https://onnx.ai/onnx/operators/onnx__TensorScatter.html): a cache with an update
/// written along an axis, from an index of each sample on.
struct TensorScatter: Operator {
  static let key: OpKey = "TensorScatter"
  static let versions = 24...24

  private let axis: Int
  private let isCircular: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(2...3)
    axis = try node.int("axis", default: -2)
    isCircular =
      try node.word("mode", in: ["linear", "circular"], default: "linear") == "circular"
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let cache = try inputs.tensorType(0)
    let update = try inputs.tensorType(1)
    if let own = cache.dataType, let other = update.dataType, own != other {
      throw .badOperands("\(other) elements do not fit a cache of \(own)")
    }
    if let shape = cache.shape, let part = update.shape { _ = try position(shape, part) }
    return [ValueFact(.tensor(cache))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let (cache, update) = (try inputs.tensor(0), try inputs.tensor(1))
    let axis = try position([Dimension](cache.shape), [Dimension](update.shape))
    let starts = try inputs.integers(2) ?? [Int](repeating: 0, count: cache.shape[0])
    guard starts.count == cache.shape[0] else {
      throw .badOperands("\(starts.count) indices for \(cache.shape[0]) samples")
    }
    let result = try context.makeTensor(cache.dataType, cache.shape)
    Copying.copy(cache, into: result)
    let size = cache.shape[axis]
    for (sample, start) in starts.enumerated() {
      let target = result.sliced(axis: 0, first: sample, count: 1)
      let source = update.sliced(axis: 0, first: sample, count: 1)
      for step in 0..<update.shape[axis] {
        let (place, overflow) = start.addingReportingOverflow(step)
        guard !overflow, place >= 0, isCircular || place < size, size > 0 else {
          throw .badOperands("index \(start) + \(step) is outside an axis of size \(size)")
        }
        Copying.copy(
          source.sliced(axis: axis, first: step, count: 1),
          into: target.sliced(axis: axis, first: place % size, count: 1))
      }
    }
    return [.tensor(result)]
  }

  /// The axis counted from the front, if the update fits the cache.
  private func position(
    _ cache: [Dimension], _ update: [Dimension]
  ) throws(OperatorError) -> Int {
    let axis = try Axes.normalize(axis, rank: cache.count)
    let fits =
      axis > 0 && cache.count == update.count
      && zip(cache, update).enumerated().allSatisfy { index, pair in
        guard let own = pair.0.value, let other = pair.1.value else { return true }
        return index == axis ? other <= own : other == own
      }
    guard fits else { throw .badOperands("an update \(update) does not fit a cache \(cache)") }
    return axis
  }
}
