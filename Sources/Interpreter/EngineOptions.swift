import Glibc
public import Operators

/// How the factors of products with weights, and of both products of attention, are rounded.
public enum MatrixPrecision: String, Hashable, Sendable, CaseIterable {
  /// Not at all.
  case float32
  /// To bfloat16; sums, softmax and everything else stay `float32`, and so does all where the
  /// processor lacks AVX-512 BF16.
  case bfloat16
}

/// How an engine runs.
public struct EngineOptions: Hashable, Sendable {
  /// Threads to compute with; results are the same for the same number.
  ///
  /// The number is a setting of the process: engines with different numbers must take turns.
  public var threads: Int

  /// Compares the type of every result with the one that was inferred, and fails where they
  /// differ.
  public var checksResultTypes: Bool

  /// Bytes that results and feeds may take together; weights are not counted.
  public var memoryByteCount: Int

  /// Whether operators are fused; results differ in rounding.
  public var fusesOperators: Bool

  /// How products are computed; another than `float32` needs fusions.
  public var matrixPrecision: MatrixPrecision

  /// Whose kernels multiply `float32` matrices; a setting of the process, as `threads` is.
  public var productKernels: ProductKernels

  /// Options; by default every processor of the machine computes, in most of its memory.
  public init(
    threads: Int = availableThreads, checksResultTypes: Bool = false,
    memoryByteCount: Int = availableMemory, fusesOperators: Bool = true,
    matrixPrecision: MatrixPrecision = .float32, productKernels: ProductKernels = .measured
  ) {
    self.productKernels = productKernels
    self.matrixPrecision = matrixPrecision
    self.fusesOperators = fusesOperators
    self.threads = threads
    self.checksResultTypes = checksResultTypes
    self.memoryByteCount = memoryByteCount
  }

  /// Four fifths of the machine's memory, `sysconf(_SC_PHYS_PAGES)`.
  public static var availableMemory: Int {
    let pages = max(1, sysconf(Int32(_SC_PHYS_PAGES)))
    return pages / 5 * 4 * max(1, sysconf(Int32(_SC_PAGESIZE)))
  }

  /// The number of processors that are online, `sysconf(_SC_NPROCESSORS_ONLN)`.
  public static var availableThreads: Int {
    max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  }

  /// Makes the settings of the process those of these options.
  func apply() {
    if ComputeThreads.count != threads { ComputeThreads.count = threads }
    if ProductKernels.current != productKernels { ProductKernels.current = productKernels }
  }
}
