import GraphIR
import Kernels
import Tensors

/// [Attention](https://onnx.ai/onnx/operators/onnx__Attention.html):
/// softmax(`scale` Q Kᵀ + mask) V.
///
/// Queries, keys and values are [batch, heads, length, size] or, with the numbers of heads as
/// attributes, [batch, length, heads · size]. A mask is `bool` (true is seen) or of the type of the
/// queries (added); from operator set 24 on it hides the keys that it is too short for. A query that sees no key yields
/// zeros. Causality counts from the end of the past, or of each sample's keys without padding.
/// Halves are computed in float32, float64 in float64, and so is softmax, whatever
/// `softmax_precision` asks for.
struct Attention: Operator {
  static let key: OpKey = "Attention"
  static let versions = 23...24

  private let scale: Float?
  private let isCausal: Bool
  private let softcap: Float
  private let queryHeads: Int?
  private let keyHeads: Int?
  private let scoreMode: AttentionScores.Mode
  private let resultCount: Int
  private let maskMayBeShort: Bool

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(3...(node.opset < 24 ? 6 : 7))
    guard node.hasInput(4) == node.hasInput(5) else {
      throw .badOperands("past keys and past values come together")
    }
    guard !node.hasInput(4) || !node.hasInput(6) else {
      throw .badOperands("lengths without padding do not go with a past")
    }
    maskMayBeShort = node.opset >= 24
    scale = try node.float("scale")
    isCausal = try node.flag("is_causal", default: false)
    softcap = try node.float("softcap", default: 0)
    queryHeads = try node.int("q_num_heads")
    keyHeads = try node.int("kv_num_heads")
    let mode = try node.int("qk_matmul_output_mode", default: 0)
    guard let known = AttentionScores.Mode(rawValue: mode) else {
      throw .badOperands("attribute 'qk_matmul_output_mode' is \(mode)")
    }
    scoreMode = known
    node.skip("softmax_precision")
    var count = 1
    for position in 1..<4 where node.hasOutput(position) { count = position + 1 }
    resultCount = count
    guard (queryHeads ?? 1) > 0, (keyHeads ?? 1) > 0, softcap >= 0 else {
      throw .badOperands("numbers of heads must be positive and 'softcap' not negative")
    }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let dataType = try inputs.sharedDataType(.floatingPoint, of: [0, 1, 2, 4, 5])
    let mask = try inputs.optionalTensorType(3)
    if let own = mask?.dataType, let dataType, own != .bool, own != dataType {
      throw .badOperands("a mask of type \(own) does not fit queries of type \(dataType)")
    }
    let past = try inputs.optionalTensorType(4)
    guard let query = try inputs.tensorType(0).shape, let key = try inputs.tensorType(1).shape,
      let value = try inputs.tensorType(2).shape, past == nil || past?.shape?.count == 4
    else { return (0..<resultCount).map { _ in ValueFact(dataType, nil) } }
    let shape = try AttentionShape(
      query: query, key: key, value: value, queryHeads: queryHeads, keyHeads: keyHeads,
      past: past?.shape?[2] ?? 0)
    if let own = mask?.shape { try shape.require(mask: own, mayBeShort: maskMayBeShort) }
    let shapes = [
      shape.output(isFlat: query.count == 3), shape.present.keys, shape.present.values,
      shape.scores,
    ]
    return shapes.prefix(resultCount).map { ValueFact(dataType, $0) }
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let query = try inputs.tensor(0)
    let q = try split(query, heads: queryHeads)
    var k = try split(try inputs.tensor(1), heads: keyHeads)
    var v = try split(try inputs.tensor(2), heads: keyHeads)
    let past = try inputs.optionalTensor(4)
    if let past { k = try Stacking.join([past, k], axis: 2, context) }
    if let past = try inputs.optionalTensor(5) {
      v = try Stacking.join([past, v], axis: 2, context)
    }
    var mask = try inputs.optionalTensor(3)
    let lengths = try inputs.integers(6)
    var options = AttentionOptions(
      scale: scale, isCausal: isCausal, causalOffset: past?.shape[2] ?? 0, softcap: softcap)
    let isShort =
      maskMayBeShort && mask.map { $0.shape[$0.rank - 1] != k.shape[2] } ?? false
    if lengths != nil || isShort || query.dataType == .float64 || resultCount == 4 {
      let unpadded = lengths?.map { $0 - q.shape[2] }
      let same = [Int](repeating: options.causalOffset, count: q.shape[0])
      mask = try AttentionScores.bias(
        mask, lengths: lengths, causality: isCausal ? unpadded ?? same : nil,
        scores: Array(q.shape.dimensions[..<3]) + [k.shape[2]], context)
      options.isCausal = false
    }
    guard query.dataType != .float64, resultCount < 4 else {
      let (output, scores) = try AttentionScores(options: options, mode: scoreMode)
        .attend(q, k, v, bias: mask, context)
      let results = [try joined(output, like: query, context), k, v, scores]
      return results.prefix(resultCount).map { .tensor($0) }
    }
    let output = try attend(query, q, k, v, mask, options, context)
    return [output, k, v].prefix(resultCount).map { .tensor($0) }
  }

  /// Both products, whatever the mask hides.
  ///
  /// That is 2 · batch · heads · queries · keys · (size of a query + size of a value).
  func flops(inputs: [ValueFact?], outputs: [ValueFact]) -> Int? {
    guard let query = inputs.optional(0)?.type.tensor?.concreteShape,
      let key = inputs.optional(1)?.type.tensor?.concreteShape,
      let output = outputs.first?.type.tensor?.concreteShape, query.rank == output.rank,
      query.rank > 1, key.rank == query.rank
    else { return nil }
    var keys = key[key.rank - 2]
    if let past = inputs.optional(4)?.type.tensor {
      guard let own = past.concreteShape, own.rank == 4,
        let sum = try? Checked.sum(keys, own[2])
      else { return nil }
      keys = sum
    }
    guard let scores = Flops.count(2, query.elementCount, keys),
      let sums = Flops.count(2, output.elementCount, keys)
    else { return nil }
    return try? Checked.sum(scores, sums)
  }

  /// The kernel that never holds all scores at once.
  private func attend(
    _ query: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ mask: Tensor?,
    _ options: AttentionOptions, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    if query.rank == 4 {
      let output = try context.makeTensor(
        query.dataType, .checked(q.shape.dimensions.dropLast() + [v.shape[3]]),
        order: FusedAttention.resultOrder)
      try OperatorError.translating { () throws(KernelError) in
        try Kernels.Attention.attend(
          query: q, key: k, value: v, mask: mask, options: options, into: output)
      }
      return output
    }
    let flat = try Shape.checked([q.shape[0], q.shape[2], q.shape[1] * v.shape[3]])
    let result = try context.makeTensor(query.dataType, flat)
    let view = try split(result, heads: queryHeads)
    try OperatorError.translating { () throws(KernelError) in
      try Kernels.Attention.attend(
        query: q, key: k, value: v, mask: mask, options: options, into: view)
    }
    return result
  }

  /// [batch, length, heads · size] seen as [batch, heads, length, size]; other ranks as they are.
  private func split(_ tensor: Tensor, heads: Int?) throws(OperatorError) -> Tensor {
    guard tensor.rank == 3, let heads else { return tensor }
    let size = tensor.shape[2] / heads
    let (batch, row, element) = (tensor.strides[0], tensor.strides[1], tensor.strides[2])
    return tensor.view(
      shape: try Shape.checked([tensor.shape[0], heads, tensor.shape[1], size]),
      strides: [batch, size * element, row, element])
  }

  /// [batch, heads, length, size] as [batch, length, heads · size] where the queries are so.
  private func joined(
    _ output: Tensor, like query: Tensor, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    guard query.rank == 3 else { return output }
    let shape = output.shape
    return try output.transposed([0, 2, 1, 3]).reshaped(
      to: .checked([shape[0], shape[2], shape[1] * shape[3]]), context)
  }
}
