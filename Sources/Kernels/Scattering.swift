public import Tensors

/// What becomes of an element that is written to.
public enum ScatterReduction: String, Hashable, Sendable {
  /// It is replaced; the last of several writes stays.
  case none
  /// The update is added to it, in the order of the updates.
  case add
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
  ///   - output: Any view, along the other axes at least as large as the updates.
  /// - Throws: When the element type cannot be added.
  public static func scatterElements(
    _ updates: Tensor, axis: Int, _ indices: [Int], _ reduction: ScatterReduction,
    into output: Tensor
  ) throws(KernelError) {
    precondition(indices.count == updates.elementCount, "an update has no index")
    let source = try Copying.contiguous(updates)
    let loop = lines(of: output, axis: axis, over: updates.shape)
    let (step, along) = (loop.rowStrides[0], output.strides[axis])
    try combine(source, output, reduction) { body in
      loop.forEachRow(in: 0..<updates.elementCount) { position, places, count in
        for i in 0..<count {
          body(places[0] + i * step + indices[position + i] * along, position + i, 1)
        }
      }
    }
  }

  /// Writes blocks of neighbouring elements.
  ///
  /// - Parameters:
  ///   - updates: Any view; the blocks one after another.
  ///   - offsets: The row-major number of the element of the output each block begins at.
  ///   - count: The number of elements of a block.
  ///   - reduction: How an update and the element there combine.
  ///   - output: Contiguous.
  /// - Throws: When the element type cannot be added.
  public static func scatterBlocks(
    _ updates: Tensor, at offsets: [Int], count: Int, _ reduction: ScatterReduction,
    into output: Tensor
  ) throws(KernelError) {
    precondition(output.isContiguous, "an output is contiguous")
    precondition(offsets.count * count == updates.elementCount, "a block has no update")
    let source = try Copying.contiguous(updates)
    try combine(source, output, reduction) { body in
      for (block, offset) in offsets.enumerated() { body(offset, block * count, count) }
    }
  }

  /// Combines runs of neighbouring elements: `body(target, source, count)` for each run.
  private static func combine(
    _ updates: Tensor, _ output: Tensor, _ reduction: ScatterReduction,
    _ forEachRun: ((Int, Int, Int) -> Void) -> Void
  ) throws(KernelError) {
    switch (reduction, output.dataType) {
    case (.none, let type):
      let width = type.byteCount
      forEachRun { target, source, count in
        (output.base + target * width).copyMemory(
          from: updates.base + source * width, byteCount: count * width)
      }
    case (.add, .float32): add(Float.self, updates, output, forEachRun)
    case (.add, .float64): add(Double.self, updates, output, forEachRun)
    case (.add, .int32): addWrapping(Int32.self, updates, output, forEachRun)
    case (.add, .int64): addWrapping(Int64.self, updates, output, forEachRun)
    case (.add, let type): throw .unsupported("an adding scatter", type)
    }
    withExtendedLifetime(updates) {}
  }

  private static func add<Number: FloatingPoint & TensorElement>(
    _ type: Number.Type, _ updates: Tensor, _ output: Tensor,
    _ forEachRun: ((Int, Int, Int) -> Void) -> Void
  ) {
    let (from, to) = (updates.pointer(as: type), output.pointer(as: type))
    forEachRun { target, source, count in
      for i in 0..<count { to[target + i] += from[source + i] }
    }
  }

  private static func addWrapping<Number: FixedWidthInteger & TensorElement>(
    _ type: Number.Type, _ updates: Tensor, _ output: Tensor,
    _ forEachRun: ((Int, Int, Int) -> Void) -> Void
  ) {
    let (from, to) = (updates.pointer(as: type), output.pointer(as: type))
    forEachRun { target, source, count in
      for i in 0..<count { to[target + i] &+= from[source + i] }
    }
  }
}
