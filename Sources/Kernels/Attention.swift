import CVectorKernels
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

  /// Whether a query that sees no key yields zeros rather than NaN.
  public var hiddenIsZero: Bool

  /// How the factors of both products, weights included, are rounded; where all operands are
  /// `bfloat16` and the processor multiplies such, it is `bfloat16` in any case.
  public var precision: LinearProduct.Precision

  /// Options, all of them off unless given.
  public init(
    scale: Float? = nil, isCausal: Bool = false, causalOffset: Int = 0, softcap: Float = 0,
    hiddenIsZero: Bool = true, precision: LinearProduct.Precision = .float32
  ) {
    self.precision = precision
    self.hiddenIsZero = hiddenIsZero
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
  /// operator's definition does from ONNX 1.20 on, unless the options ask for NaN; NaN scores give
  /// NaN.
  ///
  /// Scores, softmax and sums are `float32`; a result of a half type is rounded once.
  ///
  /// - Parameters:
  ///   - query: [batch, heads, queries, head size], any view; each tensor is `float32`, `float16` or
  ///     `bfloat16`.
  ///   - key: [batch, key heads, keys, head size], any view; key heads divide heads.
  ///   - value: [batch, key heads, keys, value size], any view.
  ///   - mask: Broadcasts to [batch, heads, queries, keys]; `bool` (true = seen) or added.
  ///   - options: Scale, causality and soft cap.
  ///   - output: [batch, heads, queries, value size], a view whose last axis is dense.
  /// - Throws: `KernelError` for a type without an implementation.
  public static func attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor? = nil,
    options: AttentionOptions = AttentionOptions(), into output: Tensor
  ) throws(KernelError) {
    guard output.elementCount > 0 else { return }
    let mask = try mask.map { (value) throws(KernelError) in try HalfPrecision.widened(value) }
    let heads = try AttentionHeads(query, key, value, mask, options, output)
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
  private let options: AttentionOptions
  private let queriesPerItem: Int
  private let types: (query: Int32, key: Int32, value: Int32)
  private let outputType: Int32
  private let isRounded: Bool

  /// Queries of one item at least, so that packing the keys costs little.
  private static let minimumQueries = 96

  init(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, _ mask: Tensor?, _ options: AttentionOptions,
    _ output: Tensor
  ) throws(KernelError) {
    precondition(output.strides[3] == 1 || output.shape[3] == 1, "output rows are dense")
    self.query = try Self.withDenseRows(query)
    self.key = try Self.withDenseRows(key)
    self.value = try Self.withDenseRows(value)
    self.output = output
    self.mask = mask.map {
      Self.broadcast(
        $0,
        to: [
          query.shape[0], query.shape[1], query.shape[2], key.shape[2],
        ])
    }
    self.options = options
    types = (
      try query.kernelCode(for: "attention"), try key.kernelCode(for: "attention"),
      try value.kernelCode(for: "attention")
    )
    outputType = try output.kernelCode(for: "attention")
    isRounded =
      LinearProduct.Precision.bfloat16.isSupported
      && (options.precision == .bfloat16
        || [query, key, value].allSatisfy { $0.dataType == .bfloat16 })
    let heads = query.shape[0] * query.shape[1]
    let parts = (2 * Parallel.threadCount + heads - 1) / heads
    queriesPerItem = Swift.max(Self.minimumQueries, (query.shape[2] + parts - 1) / parts)
  }

  private var itemsPerHead: Int { (query.shape[2] + queriesPerItem - 1) / queriesPerItem }

  var itemCount: Int { query.shape[0] * query.shape[1] * itemsPerHead }

  var operationsPerItem: Int {
    let queries = Swift.min(queriesPerItem, query.shape[2])
    let (operations, overflow) = queries.multipliedReportingOverflow(
      by: key.shape[2] * (query.shape[3] + value.shape[3] + 16) / 64 + 1)
    return overflow ? .max : operations
  }

  func run(_ item: Int) {
    let head = item / itemsPerHead
    let (batch, queryHead) = (head / query.shape[1], head % query.shape[1])
    let keyHead = queryHead / (query.shape[1] / key.shape[1])
    let first = item % itemsPerHead * queriesPerItem
    let (keys, headSize, valueSize) = (key.shape[2], query.shape[3], value.shape[3])
    let width = ditc_panel_width()
    func padded(_ count: Int) -> Int { (count + width - 1) / width * width }
    // Floats; panels of bfloat16 take half of them, but an even depth.
    let keyCount = padded(keys) * (headSize + 1)
    let valueCount = padded(valueSize) * (keys + 1)
    let scratchCount = ditc_f32_attend_scratch(headSize, valueSize)
    withUnsafeTemporaryAllocation(
      byteCount: 4 * (keyCount + valueCount + scratchCount), alignment: 64
    ) { memory in
      guard let memory = memory.baseAddress else { return }
      let valuePanels = memory + 4 * keyCount
      pack(key, types.key, batch, keyHead, isTransposed: true, headSize, keys, into: memory)
      pack(
        value, types.value, batch, keyHead, isTransposed: false, keys, valueSize, into: valuePanels)
      var head = ditc_attention()
      head.query = UnsafeRawPointer(Self.start(query, batch, queryHead))
      head.queryType = types.query
      head.queryStride = query.strides[2]
      head.headSize = headSize
      head.isRounded = isRounded ? 1 : 0
      head.keyPanels = UnsafeRawPointer(memory)
      head.keys = keys
      head.valuePanels = UnsafeRawPointer(valuePanels)
      head.valueSize = valueSize
      head.output = Self.start(output, batch, queryHead)
      head.outputType = outputType
      head.outputStride = output.strides[2]
      head.scale = options.scale ?? 1 / Float(Swift.max(1, headSize)).squareRoot()
      head.softcap = options.softcap
      head.isCausal = options.isCausal ? 1 : 0
      head.causalOffset = options.causalOffset
      head.hidden = options.hiddenIsZero ? 0 : .nan
      if let mask { apply(mask, batch, queryHead, to: &head) }
      ditc_f32_attend(
        &head, first, Swift.min(queriesPerItem, query.shape[2] - first),
        (valuePanels + 4 * valueCount).bound(Float.self))
    }
  }

  /// Packs the keys or values of a head, `depth` × `columns`.
  private func pack(
    _ tensor: Tensor, _ type: Int32, _ batch: Int, _ head: Int, isTransposed: Bool, _ depth: Int,
    _ columns: Int,
    into panels: UnsafeMutableRawPointer
  ) {
    var matrix = ditc_matrix(
      base: UnsafeRawPointer(Self.start(tensor, batch, head)), type: type,
      stride: tensor.strides[2], isTransposed: isTransposed ? 1 : 0)
    if isRounded {
      ditc_bf16_pack(&matrix, 0, depth, 0, columns, panels.bound(UInt16.self))
    } else {
      ditc_f32_pack(&matrix, 0, depth, 0, columns, panels.bound(Float.self))
    }
  }

  private func apply(_ mask: Tensor, _ batch: Int, _ head: Int, to attention: inout ditc_attention)
  {
    let start = mask.strides[0] * batch + mask.strides[1] * head
    attention.maskQueryStride = mask.strides[2]
    attention.maskKeyStride = mask.strides[3]
    if mask.dataType == .bool {
      attention.boolMask = UnsafePointer(mask.pointer(as: UInt8.self) + start)
    } else {
      attention.mask = UnsafePointer(mask.pointer(as: Float.self) + start)
    }
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

  /// The tensor, or a contiguous copy when its last axis is not dense.
  private static func withDenseRows(_ tensor: Tensor) throws(KernelError) -> Tensor {
    tensor.strides[3] == 1 || tensor.shape[3] == 1 ? tensor : try Copying.contiguous(tensor)
  }

  private static func start(_ tensor: Tensor, _ batch: Int, _ head: Int)
    -> UnsafeMutableRawPointer
  {
    let place = batch * tensor.strides[0] + head * tensor.strides[1]
    return tensor.base + place * tensor.dataType.byteCount
  }
}
