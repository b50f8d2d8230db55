import CVectorKernels

/// The instructions that products and attention use; other loops take the best that the CPU has.
public enum VectorLevel: Int32, CaseIterable, Comparable, Sendable {
  /// Those of every CPU of its kind: SSE2, NEON.
  case baseline
  /// AVX2 and FMA, x86-64-v3.
  case avx2
  /// AVX-512, x86-64-v4.
  case avx512

  /// The level in use, at most that of the CPU; the environment variable `DITCACHE_VECTOR_LEVEL`
  /// bounds it at first.
  ///
  /// It is a setting of the process, and not to be changed while a kernel runs.
  public static var current: VectorLevel {
    get { VectorLevel(rawValue: ditc_level()) ?? .baseline }
    set { ditc_limit_level(newValue.rawValue) }
  }

  /// The level in use as a word: `neon` for the baseline of ARM.
  public static var name: String { String(cString: ditc_level_name()) }

  /// The order in which later processors have them.
  public static func < (a: VectorLevel, b: VectorLevel) -> Bool { a.rawValue < b.rawValue }
}
