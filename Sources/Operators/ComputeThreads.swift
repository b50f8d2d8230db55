import Kernels

/// The threads that operators compute with.
public enum ComputeThreads {
  /// How many there are, at least 1; a setting of the whole process.
  ///
  /// It is not to be changed while an operator runs.
  public static var count: Int {
    get { Parallel.threadCount }
    set { Parallel.threadCount = newValue }
  }

  /// Whether the processor multiplies `bfloat16` (AVX-512 BF16).
  public static var multipliesBFloat16: Bool { LinearProduct.Precision.bfloat16.isSupported }
}
