import CVectorKernels
import Glibc
public import Tensors

/// How scores become weights in attention.
public struct AttentionOptions: Hashable, Sendable {
  /// The factor of query · key; nil is 1/√(head size).
  public var scale: Float?

  /// Whether query `i` sees keys up to `i + causalOffset` only.
  public var isCausal: Bool

  /// How many keys precede those of the first query, such as the length of a past.
  public var causalOffset: Int

  /// Scores are bounded by `softcap · tanh(score / softcap)` before masking; 0 leaves them alone.
  public var softcap: Float

  /// Options, all of them off unless given.
  public init(
    scale: Float? = nil, isCausal: Bool = false, causalOffset: Int = 0, softcap: Float = 0
  ) {
    self.scale = scale
    self.isCausal = isCausal
    self.causalOffset = causalOffset
    self.softcap = softcap
  }
}

/// Scaled dot-product attention, after ONNX Attention
/// (https://onnx.ai/onnx/operators/onnx__Attention.html).
public enum Attention {
  /// softmax(scale · Q Kᵀ + mask) V, some queries of one head at a time.
  ///
  /// A query that masks (a false element, -∞, or causality) keep from every key gives zeros, as the
  /// operator's definition does from ONNX 1.20 on; NaN scores give NaN.
  ///
  /// - Parameters:
  ///   - query: [batch, heads, queries, head size], any view.
  ///   - key: [batch, key heads, keys, head size], any view; key heads divide heads.
  ///   - value: [batch, key heads, keys, value size], any view.
  ///   - mask: Broadcasts to [batch, heads, queries, keys]; `bool` (true = seen) or `float32`
  ///     (added).
  ///   - options: Scale, causality and soft cap.
  ///   - output: [batch, heads, queries, value size], a view whose last axis is dense.
  /// - Throws: `KernelError` for a type without an implementation, or a size beyond BLAS.
  public static func attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor? = nil,
    options: AttentionOptions = AttentionOptions(), into output: Tensor
  ) throws(KernelError) {
    guard output.elementCount > 0 else { return }
    switch output.dataType {
    case .float32: break
    case .float16, .bfloat16:
      return try HalfPrecision.compute(output) { (wide) throws(KernelError) in
        let additive: Tensor? = if let mask { try HalfPrecision.widened(mask) } else { nil }
        try attend(
          query: HalfPrecision.widened(query), key: HalfPrecision.widened(key),
          value: HalfPrecision.widened(value), mask: additive, options: options, into: wide)
      }
    default: throw .unsupported("attention", output.dataType)
    }
    let heads = try AttentionHeads(query, key, value, mask, options, output)
    _ = Parallel.singleThreadedBLAS
    Parallel.forEachItem(of: heads.itemCount, operationsPerItem: heads.operationsPerItem) {
      heads.run($0)
    }
  }
}

/// The work of one attention, cut into items of some queries of one head.
private struct AttentionHeads {
  private let query: Tensor
  private let key: Tensor
  private let value: Tensor
  private let mask: Tensor?
  private let output: Tensor
  private let scale: Float
  private let options: AttentionOptions

  /// Queries of one item: many, so that the keys are packed seldom, but few enough for the scores
  /// to stay in the second-level cache.
  private let tile: Int

  private static let scoreByteCount = 1 << 19

  init(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, _ mask: Tensor?, _ options: AttentionOptions,
    _ output: Tensor
  ) throws(KernelError) {
    precondition(output.strides[3] == 1 || output.shape[3] == 1, "output rows are dense")
    self.query = try Self.addressable(query)
    self.key = try Self.addressable(key)
    self.value = try Self.addressable(value)
    self.output = output
    self.mask = mask.map {
      Self.broadcast(
        $0,
        to: [
          query.shape[0], query.shape[1], query.shape[2], key.shape[2],
        ])
    }
    self.options = options
    let fitting = Self.scoreByteCount / 4 / Swift.max(1, key.shape[2]) / 32 * 32
    tile = Swift.max(32, Swift.min(256, fitting))
    scale = options.scale ?? 1 / Float(Swift.max(1, query.shape[3])).squareRoot()
    for matrix in [
      Self.matrix(self.query, 0, 0), Self.matrix(self.key, 0, 0),
      Self.matrix(self.value, 0, 0), Self.matrix(output, 0, 0),
    ] { try MatrixProduct.check(matrix) }
  }

  private var tilesPerHead: Int { (query.shape[2] + tile - 1) / tile }

  var itemCount: Int { query.shape[0] * query.shape[1] * tilesPerHead }

  var operationsPerItem: Int {
    let keys = key.shape[2]
    return tile
      * (keys + keys * (query.shape[3] + value.shape[3])
        / MatrixProduct.operationsPerNanosecond) + 1
  }

  func run(_ item: Int) {
    let head = item / tilesPerHead
    let (batch, queryHead) = (head / query.shape[1], head % query.shape[1])
    let keyHead = queryHead / (query.shape[1] / key.shape[1])
    let first = item % tilesPerHead * tile
    let queries = first..<Swift.min(first + tile, query.shape[2])
    let keys = key.shape[2]
    withUnsafeTemporaryAllocation(of: Float.self, capacity: Swift.max(1, queries.count * keys)) {
      guard let scores = $0.baseAddress else { return }
      guard
        let weights = MatrixView(
          scores, rows: queries.count, columns: keys, rowStride: keys, columnStride: 1)
      else { return }
      if keys > 0 {
        MatrixProduct.product(
          scale, Self.matrix(query, batch, queryHead).rows(queries),
          Self.matrix(key, batch, keyHead).transposed, 0, weights)
      }
      for (row, position) in queries.enumerated() {
        weigh(scores + row * keys, keys, batch, queryHead, position)
      }
      MatrixProduct.product(
        1, weights, Self.matrix(value, batch, keyHead), 0,
        Self.matrix(output, batch, queryHead).rows(queries))
    }
  }

  /// Turns the scores of one query into weights.
  private func weigh(
    _ scores: UnsafeMutablePointer<Float>, _ count: Int, _ batch: Int, _ head: Int, _ position: Int
  ) {
    if options.softcap > 0 {
      for i in 0..<count { scores[i] /= options.softcap }
      ditc_f32_tanh(scores, scores, count)
      for i in 0..<count { scores[i] *= options.softcap }
    }
    var seen = count
    if options.isCausal {
      seen = Swift.max(0, Swift.min(count, position + options.causalOffset + 1))
    }
    (scores + seen).update(repeating: 0, count: count - seen)
    var isHidden = seen == 0
    if let mask {
      let start = mask.strides[0] * batch + mask.strides[1] * head + mask.strides[2] * position
      isHidden = apply(mask, at: start, to: scores, seen)
    }
    if isHidden {
      scores.update(repeating: 0, count: seen)
    } else {
      ditc_f32_softmax(scores, scores, seen)
    }
  }

  /// Applies one row of the mask; true when it hides every key.
  private func apply(
    _ mask: Tensor, at start: Int, to scores: UnsafeMutablePointer<Float>, _ count: Int
  ) -> Bool {
    let step = mask.strides[3]
    var isHidden = true
    if mask.dataType == .bool {
      let row = mask.pointer(as: UInt8.self) + start
      for i in 0..<count {
        let isSeen = row[i * step] != 0
        scores[i] = isSeen ? scores[i] : -.infinity
        isHidden = isHidden && !isSeen
      }
    } else {
      let row = mask.pointer(as: Float.self) + start
      for i in 0..<count {
        scores[i] += row[i * step]
        isHidden = isHidden && row[i * step] == -.infinity
      }
    }
    return isHidden
  }

  private static func broadcast(_ mask: Tensor, to dimensions: [Int]) -> Tensor {
    precondition(mask.dataType == .bool || mask.dataType == .float32, "a mask is bool or float32")
    let missing = 4 - mask.rank
    let strides = (0..<4).map { axis in
      axis < missing || mask.shape[axis - missing] == 1 ? 0 : mask.strides[axis - missing]
    }
    guard let shape = try? Shape(dimensions) else {
      preconditionFailure("\(dimensions) is the shape of no scores")
    }
    return mask.view(shape: shape, strides: strides)
  }

  /// The tensor, or a contiguous copy when BLAS cannot address the matrices of its heads.
  private static func addressable(_ tensor: Tensor) throws(KernelError) -> Tensor {
    tensor.hasAddressableRows ? tensor : try Copying.contiguous(tensor)
  }

  private static func matrix(_ tensor: Tensor, _ batch: Int, _ head: Int) -> MatrixView<Float> {
    let start = batch * tensor.strides[0] + head * tensor.strides[1]
    guard
      let view = MatrixView(
        tensor.pointer(as: Float.self) + start, rows: tensor.shape[2], columns: tensor.shape[3],
        rowStride: tensor.strides[2], columnStride: tensor.strides[3])
    else { preconditionFailure("rows are addressable by construction") }
    return view
  }
}

extension Tensor {
  /// True when BLAS can address the last two axes.
  fileprivate var hasAddressableRows: Bool {
    MatrixView(
      pointer(as: Float.self), rows: shape[2], columns: shape[3], rowStride: strides[2],
      columnStride: strides[3]) != nil
  }
}
