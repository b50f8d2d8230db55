public import Tensors

/// What becomes of an element that is written to.
public enum ScatterReduction: String, Hashable, Sendable {
  /// It is replaced; the last of several writes stays.
  case none
  /// The updates are added to it, in their order.
  case add
  /// It is multiplied by the updates, in their order.
  case multiply = "mul"
  /// The larger one stays; NaN if one is.
  case maximum = "max"
  /// The smaller one stays; NaN if one is.
  case minimum = "min"
}

extension Indexing {
  /// Writes one element for each update: `output[…, indices[…], …] = updates[…, i, …]` along
  /// `axis`.
  ///
  /// - Parameters:
  ///   - updates: Any view.
  ///   - axis: The axis that `indices` count along.
  ///   - indices: One for each update, in row-major order.
  ///   - reduction: How an update and the element there combine.
  ///   - output: Along the other axes at least as large as the updates; any view, but contiguous
  ///     where halves are reduced.
  /// - Throws: When the element type has no arithmetic.
  public static func scatterElements(
    _ updates: Tensor, axis: Int, _ indices: [Int], _ reduction: ScatterReduction,
    into output: Tensor
  ) throws(KernelError) {
    precondition(indices.count == updates.elementCount, "an update has no index")
    let source = try Copying.contiguous(updates)
    let loop = lines(of: output, axis: axis, over: updates.shape)
    let (step, along) = (loop.rowStrides[0], output.strides[axis])
    var places = [Int](repeating: 0, count: indices.count)
    loop.forEachRow(in: 0..<indices.count) { position, lines, count in
      for i in 0..<count {
        places[position + i] = lines[0] + i * step + indices[position + i] * along
      }
    }
    try write(source, to: places, count: 1, reduction, output)
  }

  /// Writes blocks of neighbouring elements.
  ///
  /// - Parameters:
  ///   - updates: Any view; the blocks one after another.
  ///   - offsets: The row-major number of the element of the output each block begins at.
  ///   - count: The number of elements of a block.
  ///   - reduction: How an update and the element there combine.
  ///   - output: Contiguous.
  /// - Throws: When the element type has no arithmetic.
  public static func scatterBlocks(
    _ updates: Tensor, at offsets: [Int], count: Int, _ reduction: ScatterReduction,
    into output: Tensor
  ) throws(KernelError) {
    precondition(output.isContiguous, "an output is contiguous")
    precondition(offsets.count * count == updates.elementCount, "a block has no update")
    let source = try Copying.contiguous(updates)
    try write(source, to: offsets, count: count, reduction, output)
  }

  /// Writes runs of `count` elements to places counted from the first element of the output.
  private static func write(
    _ updates: Tensor, to places: [Int], count: Int, _ reduction: ScatterReduction,
    _ output: Tensor
  ) throws(KernelError) {
    switch (reduction, output.dataType) {
    case (.none, let type):
      let byteCount = count * type.byteCount
      for (run, place) in places.enumerated() {
        (output.base + place * type.byteCount).copyMemory(
          from: updates.base + run * byteCount, byteCount: byteCount)
      }
    case (_, .float32): floats(Float.self, reduction, updates, places, count, output)
    case (_, .float64): floats(Double.self, reduction, updates, places, count, output)
    case (_, .int32): integers(Int32.self, reduction, updates, places, count, output)
    case (_, .int64): integers(Int64.self, reduction, updates, places, count, output)
    case (_, .int16): integers(Int16.self, reduction, updates, places, count, output)
    case (_, .int8): integers(Int8.self, reduction, updates, places, count, output)
    case (_, .uint64): integers(UInt64.self, reduction, updates, places, count, output)
    case (_, .uint32): integers(UInt32.self, reduction, updates, places, count, output)
    case (_, .uint16): integers(UInt16.self, reduction, updates, places, count, output)
    case (_, .uint8): integers(UInt8.self, reduction, updates, places, count, output)
    case (_, .float16), (_, .bfloat16):
      precondition(output.isContiguous, "halves are reduced in dense memory")
      let wide = try Casting.cast(output, to: .float32)
      let sources = try Casting.cast(updates, to: .float32)
      floats(Float.self, reduction, sources, places, count, wide)
      try Casting.cast(wide, into: output)
      withExtendedLifetime((wide, sources)) {}
    case (_, let type): throw .unsupported("a scatter that reduces", type)
    }
    withExtendedLifetime(updates) {}
  }

  private static func floats<Number: FloatingPoint & TensorElement>(
    _ type: Number.Type, _ reduction: ScatterReduction, _ updates: Tensor, _ places: [Int],
    _ count: Int, _ output: Tensor
  ) {
    func reduce(_ combine: (Number, Number) -> Number) {
      combineRuns(updates, places, count, output, combine)
    }
    switch reduction {
    case .none: reduce { $1 }
    case .add: reduce { $0 + $1 }
    case .multiply: reduce { $0 * $1 }
    case .maximum: reduce { $1 > $0 || $1.isNaN ? $1 : $0 }
    case .minimum: reduce { $1 < $0 || $1.isNaN ? $1 : $0 }
    }
  }

  private static func integers<Number: FixedWidthInteger & TensorElement>(
    _ type: Number.Type, _ reduction: ScatterReduction, _ updates: Tensor, _ places: [Int],
    _ count: Int, _ output: Tensor
  ) {
    func reduce(_ combine: (Number, Number) -> Number) {
      combineRuns(updates, places, count, output, combine)
    }
    switch reduction {
    case .none: reduce { $1 }
    case .add: reduce { $0 &+ $1 }
    case .multiply: reduce { $0 &* $1 }
    case .maximum: reduce { Swift.max($0, $1) }
    case .minimum: reduce { Swift.min($0, $1) }
    }
  }

  private static func combineRuns<Number: TensorElement>(
    _ updates: Tensor, _ places: [Int], _ count: Int, _ output: Tensor,
    _ combine: (Number, Number) -> Number
  ) {
    let (from, to) = (updates.pointer(as: Number.self), output.pointer(as: Number.self))
    for (run, place) in places.enumerated() {
      for i in 0..<count {
        to[place + i] = combine(to[place + i], from[run * count + i])
      }
    }
  }
}
