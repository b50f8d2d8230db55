import Foundation
import Operators

/// What `bench` measured, as JSON of schema 1.
public struct BenchReport: Encodable, Sendable {
  /// The version of this layout.
  public let schema = 1
  /// Wall time of each run.
  public let seconds: [Double]
  /// The median of `seconds`.
  public let medianSeconds: Double
  /// The least of `seconds`.
  public let minimumSeconds: Double
  /// Threads that computed.
  public let threads: Int
  /// The processor, as the system names it.
  public let hardware: String
  /// Whose kernels multiply `float32` matrices.
  public let products: Products
  /// Floating-point operations of a run, a multiply-add counting 2; nil when some depend on data.
  public let flops: Int?
  /// 10^9 operations a second in the median run.
  public let gflops: Double?
  /// Bytes that results and feeds took at most.
  public let resultPeakBytes: Int
  /// The process's peak memory (VmHWM), weights included.
  public let peakBytes: Int
  /// The cached form, if there was a schedule.
  public var cached: Cached?

  /// A run of all steps of a schedule.
  public struct Cached: Encodable, Sendable {
    /// The schedule's name.
    public let schedule: String
    /// Wall time of each step.
    public let seconds: [Double]
    /// Wall time of uncached calls made in between.
    public let uncachedSeconds: [Double]
    /// All FLOPs by those that were computed.
    public let predictedSpeedup: Double?
    /// Uncached steps at their median time, by the time that the cached run took.
    public let measuredSpeedup: Double
    /// Measured by predicted.
    public let efficiency: Double?

    init(
      schedule: String, seconds: [Double], uncachedSeconds: [Double], predictedSpeedup: Double?
    ) {
      self.schedule = schedule
      self.seconds = seconds
      self.uncachedSeconds = uncachedSeconds
      self.predictedSpeedup = predictedSpeedup
      let all = uncachedSeconds.median * Double(seconds.count)
      measuredSpeedup = all / seconds.reduce(0, +)
      efficiency = predictedSpeedup.map { [measuredSpeedup] in measuredSpeedup / $0 }
    }

    enum CodingKeys: String, CodingKey {
      case schedule, seconds, efficiency
      case uncachedSeconds = "uncached_seconds"
      case predictedSpeedup = "predicted_speedup"
      case measuredSpeedup = "measured_speedup"
    }
  }

  /// The kernels of `float32` products of eight rows and more, and their rates on one thread.
  public struct Products: Encodable, Sendable {
    /// `own` or `openblas`.
    public let kernels: String
    /// The instructions of our own kernels: `baseline`, `neon`, `avx2` or `avx512`.
    public let level: String
    /// 10^9 operations a second of our own kernels.
    public let ownGflops: Double
    /// 10^9 operations a second of OpenBLAS.
    public let openBLASGflops: Double
    /// The CPU whose kernels OpenBLAS uses.
    public let openBLASCore: String

    init(_ report: ProductKernels.Report) {
      kernels = report.kernels
      level = report.level
      ownGflops = report.ownGflops
      openBLASGflops = report.openBLASGflops
      openBLASCore = report.openBLASCore
    }

    enum CodingKeys: String, CodingKey {
      case kernels, level
      case ownGflops = "own_gflops"
      case openBLASGflops = "openblas_gflops"
      case openBLASCore = "openblas_core"
    }
  }

  init(seconds: [Double], threads: Int, flops: Int?, resultPeakBytes: Int) {
    self.seconds = seconds
    medianSeconds = seconds.median
    minimumSeconds = seconds.min() ?? 0
    self.threads = threads
    hardware = Self.processor
    products = Products(ProductKernels.report())
    self.flops = flops
    gflops = flops.map { [medianSeconds] in Double($0) / medianSeconds / 1e9 }
    self.resultPeakBytes = resultPeakBytes
    peakBytes = ProcessMemory.peakByteCount
  }

  enum CodingKeys: String, CodingKey {
    case schema, seconds, threads, hardware, products, flops, gflops, cached
    case medianSeconds = "median_seconds"
    case minimumSeconds = "minimum_seconds"
    case resultPeakBytes = "result_peak_bytes"
    case peakBytes = "peak_bytes"
  }

  /// The model name of /proc/cpuinfo and the number of processors.
  private static var processor: String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    let name = line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces)
    return "\(name ?? "unknown processor"), \(ToolDescription.availableThreads) processors"
  }
}

extension [Double] {
  /// The middle value, or the mean of the two in the middle; NaN for none.
  fileprivate var median: Double {
    guard !isEmpty else { return .nan }
    let sorted = sorted()
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
  }
}
