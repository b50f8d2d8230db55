import GraphIR
import Kernels
import Tensors

/// [Attention](https://onnx.ai/onnx/operators/onnx__Attention.html):
/// softmax(`scale` Q Kᵀ + mask) V.
///
/// Queries, keys and values are [batch, heads, length, size] or, with the numbers of heads as
/// attributes, [batch, length, heads · size]. A mask is `bool` (true is seen) or of the type of the
/// queries (added). A query that sees no key yields zeros. Softmax is computed in float32. Past
/// keys and values, lengths without padding, and results other than the first are refused.
struct Attention: Operator {
  static let key: OpKey = "Attention"
  static let versions = 23...24

  private let scale: Float?
  private let isCausal: Bool
  private let softcap: Float
  private let queryHeads: Int?
  private let keyHeads: Int?

  init(_ node: inout NodeReader) throws(OperatorError) {
    try node.requireInputs(3...7)
    try node.allowOutputs(1)
    for (position, name) in [(4, "past_key"), (5, "past_value"), (6, "nonpad_kv_seqlen")]
    where node.hasInput(position) {
      throw .unsupported("operand '\(name)' is not implemented")
    }
    scale = try node.float("scale")
    isCausal = try node.flag("is_causal", default: false)
    softcap = try node.float("softcap", default: 0)
    queryHeads = try node.int("q_num_heads")
    keyHeads = try node.int("kv_num_heads")
    _ = try node.int("qk_matmul_output_mode")
    let precision = try node.int("softmax_precision")
    guard precision != Int(DataType.float64.rawValue) else {
      throw .unsupported("softmax is computed in float32, not in float64")
    }
    guard (queryHeads ?? 1) > 0, (keyHeads ?? 1) > 0, softcap >= 0 else {
      throw .badOperands("numbers of heads must be positive and 'softcap' not negative")
    }
  }

  func infer(
    _ inputs: [ValueFact?], _ context: any InferenceContext
  ) throws(OperatorError) -> [ValueFact] {
    let dataType = try inputs.sharedDataType(.floatingPoint, of: 0...2)
    let mask = try inputs.optionalTensorType(3)
    if let own = mask?.dataType, let dataType, own != .bool, own != dataType {
      throw .badOperands("a mask of type \(own) does not fit queries of type \(dataType)")
    }
    guard let query = try inputs.tensorType(0).shape, let key = try inputs.tensorType(1).shape,
      let value = try inputs.tensorType(2).shape
    else { return [ValueFact(dataType, nil)] }
    let heads = try AttentionShape(
      query: query, key: key, value: value, queryHeads: queryHeads, keyHeads: keyHeads)
    if let shape = mask?.shape { try heads.require(mask: shape) }
    return [ValueFact(dataType, heads.output(isFlat: query.count == 3))]
  }

  func run(
    _ inputs: [RuntimeValue?], _ context: any RunContext
  ) throws(OperatorError) -> [RuntimeValue] {
    let query = try inputs.tensor(0)
    let (q, k) = (
      try split(query, heads: queryHeads), try split(try inputs.tensor(1), heads: keyHeads)
    )
    let v = try split(try inputs.tensor(2), heads: keyHeads)
    let mask = try inputs.optionalTensor(3)
    let options = AttentionOptions(scale: scale, isCausal: isCausal, softcap: softcap)
    let shape = try Shape.checked([q.shape[0], q.shape[1], q.shape[2], v.shape[3]])
    guard query.rank == 3 else {
      let result = try context.tensor(query.dataType, shape) { (output) throws(KernelError) in
        try Kernels.Attention.attend(
          query: q, key: k, value: v, mask: mask, options: options, into: output)
      }
      return [.tensor(result)]
    }
    let flat = try Shape.checked([q.shape[0], q.shape[2], q.shape[1] * v.shape[3]])
    let result = try context.makeTensor(query.dataType, flat)
    let view = try split(result, heads: queryHeads)
    let isDirect = query.dataType == .float32
    let target = isDirect ? view : try context.makeTensor(query.dataType, shape)
    try OperatorError.translating { () throws(KernelError) in
      try Kernels.Attention.attend(
        query: q, key: k, value: v, mask: mask, options: options, into: target)
      if !isDirect { Copying.copy(target, into: view) }
    }
    return [.tensor(result)]
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
    let keys = key[key.rank - 2]
    guard let scores = Flops.count(2, query.elementCount, keys),
      let sums = Flops.count(2, output.elementCount, keys)
    else { return nil }
    return try? Checked.sum(scores, sums)
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
}

/// The sizes of an attention, checked against one another.
private struct AttentionShape {
  let batch: Dimension
  let heads: Dimension
  let queries: Dimension
  let keys: Dimension
  let valueSize: Dimension

  init(
    query: [Dimension], key: [Dimension], value: [Dimension], queryHeads: Int?, keyHeads: Int?
  ) throws(OperatorError) {
    guard [3, 4].contains(query.count), key.count == query.count, value.count == query.count
    else { throw .badOperands("shapes \(query), \(key) and \(value) have no attention") }
    let q = try Self.split(query, queryHeads, "q_num_heads")
    let k = try Self.split(key, keyHeads, "kv_num_heads")
    let v = try Self.split(value, keyHeads, "kv_num_heads")
    for (a, b, what) in [
      (q[0], k[0], "batch sizes"), (q[0], v[0], "batch sizes"), (k[1], v[1], "numbers of heads"),
      (k[2], v[2], "numbers of keys and values"), (q[3], k[3], "sizes of queries and keys"),
    ] {
      if let a = a.value, let b = b.value, a != b {
        throw .badOperands("\(what) \(a) and \(b) differ")
      }
    }
    if let own = q[1].value, let shared = k[1].value, shared == 0 || own % shared != 0 {
      throw .badOperands("\(own) heads cannot share \(shared) heads of keys")
    }
    (batch, heads, queries, keys, valueSize) = (q[0], q[1], q[2], k[2], v[3])
  }

  /// Refuses a mask that does not broadcast to the scores.
  func require(mask: [Dimension]) throws(OperatorError) {
    let scores = [batch, heads, queries, keys]
    let fits =
      (2...4).contains(mask.count)
      && zip(mask.reversed(), scores.reversed()).allSatisfy { own, whole in
        own == whole || own == 1 || own.value == nil || whole.value == nil
      }
    guard fits else {
      throw .badOperands("a mask of shape \(mask) does not broadcast to scores \(scores)")
    }
  }

  func output(isFlat: Bool) -> [Dimension] {
    isFlat ? [batch, queries, heads * valueSize] : [batch, heads, queries, valueSize]
  }

  private static func split(
    _ shape: [Dimension], _ heads: Int?, _ attribute: String
  ) throws(OperatorError) -> [Dimension] {
    guard shape.count == 3 else { return shape }
    guard let heads else {
      throw .badOperands("attribute '\(attribute)' is missing for operands of rank 3")
    }
    guard (shape[2].value ?? 0) % heads == 0,
      let size = shape[2].floorDivided(by: Dimension(heads))
    else { throw .badOperands("\(shape[2]) elements do not form \(heads) heads") }
    return [shape[0], Dimension(heads), shape[1], size]
  }
}
