import GraphIR
import Kernels
import Tensors

/// Attention with all scores at once: for float64, and where the scores are a result.
struct AttentionScores {
  /// Which scores are a result (`qk_matmul_output_mode`).
  enum Mode: Int {
    case product, capped, biased, weights
  }

  let options: AttentionOptions
  let mode: Mode

  /// The output, [batch, heads, queries, value size], and the scores, both of the type of `q`.
  func attend(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, bias: Tensor?, _ context: any RunContext
  ) throws(OperatorError) -> (output: Tensor, scores: Tensor) {
    let type: DataType = q.dataType == .float64 ? .float64 : .float32
    let queries = try q.cast(to: type, context)
    let keys = try repeated(k.cast(to: type, context), heads: q.shape[1], context)
    let values = try repeated(v.cast(to: type, context), heads: q.shape[1], context)
    let factor = options.scale ?? 1 / Float(max(1, q.shape[3])).squareRoot()
    let shape = try Shape.checked(Array(q.shape.dimensions[..<3]) + [k.shape[2]])
    let scores = try context.tensor(type, shape) { (output) throws(KernelError) in
      try MatrixMultiplication.multiply(queries, keys.transposed([0, 1, 3, 2]), into: output)
      try scale(output, by: factor)
      guard options.softcap > 0 else { return }
      try scale(output, by: 1 / options.softcap)
      try Elementwise.unary(.hyperbolicTangent, output, into: output)
      try scale(output, by: options.softcap)
    }
    var biased = scores
    var isHidden: Tensor?
    if let bias {
      let addend = try bias.cast(to: type, context)
      biased = try context.tensor(type, shape) { (output) throws(KernelError) in
        try Elementwise.binary(.add, scores, addend, into: output)
      }
      isHidden = try hiddenRows(addend, context)
    }
    let logits = biased
    let weights = try context.tensor(type, shape) { (output) throws(KernelError) in
      try Normalization.softmax(logits, axis: 3, into: output)
      guard let isHidden else { return }
      let zero = try Casting.cast(Tensor(scalar: Float(0)), to: type)
      Elementwise.select(isHidden, zero, output, into: output)
    }
    let sums = try Shape.checked(Array(q.shape.dimensions[..<3]) + [v.shape[3]])
    let output = try context.tensor(type, sums) { (output) throws(KernelError) in
      try MatrixMultiplication.multiply(weights, values, into: output)
    }
    let shown = mode == .weights ? weights : mode == .biased ? logits : scores
    return (try output.cast(to: q.dataType, context), try shown.cast(to: q.dataType, context))
  }

  /// What is added to the scores: 0 where a key is seen, −∞ where it is not, or a mask's numbers.
  ///
  /// A mask broadcasts to `scores`, [batch, heads, queries, keys], and may be too short along the
  /// keys; `lengths` says how many keys of each sample are no padding, and query `i` of a sample
  /// sees keys up to `i` + its `causality`. The result is float32 [batch, heads or 1, queries,
  /// keys], nil when nothing is hidden.
  static func bias(
    _ mask: Tensor?, lengths: [Int]?, causality: [Int]?, scores: [Int], _ context: any RunContext
  ) throws(OperatorError) -> Tensor? {
    guard mask != nil || lengths != nil || causality != nil else { return nil }
    guard lengths == nil || lengths?.count == scores[0] else {
      throw .badOperands("\(lengths?.count ?? 0) lengths for \(scores[0]) samples")
    }
    let own = mask?.shape.dimensions ?? []
    let heads = own.count > 2 && own[own.count - 3] != 1 ? scores[1] : 1
    let shape = try Shape.checked([scores[0], heads, scores[2], scores[3]])
    let result = try context.makeTensor(.float32, shape)
    Copying.clear(result)
    if let mask { try add(mask, to: result, context) }
    let elements = result.pointer(as: Float.self)
    for row in 0..<scores[0] * heads * scores[2] {
      let (sample, query) = (row / (heads * scores[2]), row % scores[2])
      let frontier = (causality?[sample]).map { query + $0 + 1 } ?? .max
      let seen = max(0, min(lengths?[sample] ?? .max, frontier, scores[3]))
      for key in seen..<scores[3] { elements[row * scores[3] + key] = -.infinity }
    }
    return result
  }

  private static func add(
    _ mask: Tensor, to bias: Tensor, _ context: any RunContext
  ) throws(OperatorError) {
    var numbers = mask
    if mask.dataType == .bool {
      let (zero, hidden) = (Tensor(scalar: Float(0)), Tensor(scalar: -Float.infinity))
      numbers = try context.tensor(.float32, mask.shape) { (output) throws(KernelError) in
        Elementwise.select(mask, zero, hidden, into: output)
      }
    } else {
      numbers = try mask.cast(to: .float32, context)
    }
    let (width, keys) = (mask.shape[mask.rank - 1], bias.shape[3])
    guard width <= keys else { throw .badOperands("a mask of \(width) keys for \(keys)") }
    Copying.copy(numbers, into: bias.sliced(axis: 3, first: 0, count: width))
    guard width < keys else { return }
    Copying.fill(
      bias.sliced(axis: 3, first: width, count: keys - width),
      with: Tensor(scalar: -Float.infinity))
  }

  private func hiddenRows(
    _ bias: Tensor, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    var dimensions = bias.shape.dimensions
    dimensions[3] = 1
    let shape = try Shape.checked(dimensions)
    let least = try Tensor.scalar(-.infinity, as: bias.dataType)
    let largest = try context.tensor(bias.dataType, shape) { (output) throws(KernelError) in
      try Reduction.reduce(.maximum, bias, axes: [3], into: output)
    }
    return try context.tensor(.bool, shape) { (output) throws(KernelError) in
      try Elementwise.compare(.equal, largest, least, into: output)
    }
  }

  private func scale(_ tensor: Tensor, by factor: Float) throws(KernelError) {
    let number = try Casting.cast(Tensor(scalar: factor), to: tensor.dataType)
    try Elementwise.binary(.multiply, tensor, number, into: tensor)
  }

  /// Every head as often as queries share it.
  private func repeated(
    _ tensor: Tensor, heads: Int, _ context: any RunContext
  ) throws(OperatorError) -> Tensor {
    let own = tensor.shape[1]
    guard own != heads, own > 0 else { return tensor }
    var dimensions = tensor.shape.dimensions
    dimensions[1] = heads
    let indices = (0..<heads).map { $0 / (heads / own) }
    return try context.tensor(tensor.dataType, .checked(dimensions)) {
      (output) throws(KernelError) in
      try Indexing.gather(tensor, axis: 1, indices, into: output)
    }
  }
}
