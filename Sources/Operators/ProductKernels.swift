import Kernels

/// Whose kernels multiply `float32` matrices of eight rows and more.
///
/// Products of bfloat16, and with weights of half types, always run on our own; so does attention.
public enum ProductKernels: String, Hashable, Sendable, CaseIterable {
  /// OpenBLAS's where they are clearly faster on this machine, else our own; measured once in a
  /// process, at the first such product, in about 10 ms.
  case measured
  /// Our own.
  case own
  /// OpenBLAS's.
  case openblas

  /// The choice in effect, a setting of the whole process.
  ///
  /// It is not to be changed while an operator runs.
  public static var current: ProductKernels {
    get { ProductRates.forced.map { $0 ? .own : .openblas } ?? .measured }
    set { ProductRates.forced = newValue == .measured ? nil : newValue == .own }
  }

  /// What is in use, with rates on one thread.
  public struct Report: Sendable {
    /// `own` or `openblas`.
    public let kernels: String
    /// The instructions that our kernels use: `baseline`, `neon`, `avx2`, `avx512`.
    public let level: String
    /// 10^9 operations a second of our kernels.
    public let ownGflops: Double
    /// 10^9 operations a second of OpenBLAS.
    public let openBLASGflops: Double
    /// The CPU whose kernels OpenBLAS uses.
    public let openBLASCore: String
  }

  /// Measures, unless that was done before.
  public static func report() -> Report {
    let rates = ProductRates.measured
    return Report(
      kernels: (ProductRates.usesOwn ? ProductKernels.own : .openblas).rawValue,
      level: VectorLevel.name, ownGflops: rates.own, openBLASGflops: rates.openBLAS,
      openBLASCore: ProductRates.openBLASCore)
  }
}
