import GraphIR
import Kernels
import Tensors

/// softmax(`scale` Q Kᵀ + mask) V, written by a fusion in place of its parts.
///
/// Queries, keys and values are [batch, heads, length, size], or all of them without the batch. Each
/// is `float32`, `float16` or `bfloat16`, and so is the result, by `to`, or else of the type of the
/// queries; a half type is rounded once, at the end. A mask broadcasts to the scores and is `bool`
/// (true is seen) or added. A query that sees no key yields zeros with `hidden_is_zero`, else NaN. With
/// `precision` `bfloat16` the factors of both products are rounded first. The result lies in memory as
/// [batch, length, heads, size], so that joining the heads again copies nothing.
struct FusedAttention: PlacedOperator {
  static let key = OpKey("FusedAttention", domain: "ai.ditcache")
  static let versions = 1...1

  private let options: AttentionOptions
  private let type: DataType?

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(3...4)
    options = AttentionOptions(
      scale: try node.float("scale", default: 1),
      hiddenIsZero: try node.flag("hidden_is_zero", default: false),
      precision: try node.precision())
    type = try node.resultType()
  }

  func canWrite(into layout: Tensor) -> Bool { layout.strides[layout.rank - 1] == 1 }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let query = try inputs.tensorType(0)
    guard let shape = query.shape, let value = try inputs.tensorType(2).shape, shape.count >= 3,
      let size = value.last
    else { return [ValueFact(type ?? query.dataType, nil)] }
    return [ValueFact(type ?? query.dataType, shape.dropLast() + [size])]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let query = try inputs.tensor(0)
    let (q, k, v) = try (
      query.withBatch(), inputs.tensor(1).withBatch(), inputs.tensor(2).withBatch()
    )
    var mask = try inputs.optionalTensor(3)
    if query.rank == 3, let own = mask, own.rank == 3 { mask = try own.withBatch() }
    let output = try context.makeResult(
      type ?? query.dataType, .checked(query.shape.dimensions.dropLast() + [v.shape[3]]),
      order: query.rank == 3 ? [1, 0, 2] : Self.resultOrder)
    let heads = try output.withBatch()
    try OperatorError.translating { () throws(KernelError) in
      try Kernels.Attention.attend(
        query: q, key: k, value: v, mask: mask, options: options, into: heads)
    }
    return [.tensor(output)]
  }

  /// Both products, whatever the mask hides.
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    guard let query = inputs.optional(0)?.type.tensor?.concreteShape,
      let key = inputs.optional(1)?.type.tensor?.concreteShape, key.rank == query.rank,
      let output = outputs.first?.type.tensor?.concreteShape, query.rank > 2,
      let scores = Flops.count(2, query.elementCount, key[key.rank - 2]),
      let sums = Flops.count(2, output.elementCount, key[key.rank - 2])
    else { return nil }
    return try? Checked.sum(scores, sums)
  }

  /// How [batch, heads, length, size] lies in memory.
  static let resultOrder = [0, 2, 1, 3]
}

extension Tensor {
  /// [batch, heads, length, size] of a tensor that may lack the batch; a view.
  fileprivate func withBatch() throws(OperatorError) -> Tensor {
    guard rank == 3 else { return self }
    return view(
      shape: try .checked([1] + shape.dimensions),
      strides: [shape[0] * strides[0]] + strides)
  }
}
