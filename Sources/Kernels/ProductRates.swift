import COpenBLAS
import Glibc
import Synchronization
import Tensors

/// How fast our own kernels and OpenBLAS multiply `float32` matrices here, and which are used.
public struct ProductRates: Sendable {
  /// Our kernels, 10^9 operations a second on one thread.
  public let own: Double
  /// OpenBLAS, likewise.
  public let openBLAS: Double

  /// How much faster OpenBLAS must be to be taken: noise does not make that, so all runs on a
  /// machine compute alike.
  public static let margin = 1.15

  /// Measured when first asked for, once in a process.
  public static let measured = ProductRates()

  /// True where our kernels are used for products of eight rows and more.
  public static var usesOwn: Bool { forced ?? !measured.prefersOpenBLAS }

  /// Whether our kernels are used whatever was measured; nil leaves it to that.
  ///
  /// It is a setting of the process, and not to be changed while a kernel runs.
  public static var forced: Bool? {
    get {
      switch setting.load(ordering: .relaxed) {
      case 0: nil
      case let word: word > 0
      }
    }
    set { setting.store(newValue.map { $0 ? 1 : -1 } ?? 0, ordering: .relaxed) }
  }

  private static let setting = Atomic<Int>(0)

  /// The core type whose kernels OpenBLAS chose when it was loaded, such as `Haswell`; the
  /// environment variable `OPENBLAS_CORETYPE` may have named it.
  public static var openBLASCore: String {
    openblas_get_corename().map { String(cString: $0) } ?? "unknown"
  }

  /// True where OpenBLAS is clearly faster.
  public var prefersOpenBLAS: Bool { openBLAS > Self.margin * own }

  /// Rates that were measured elsewhere.
  public init(own: Double, openBLAS: Double) {
    self.own = own
    self.openBLAS = openBLAS
  }

  /// The best of a few runs, by turns, of a product as DiTs have it.
  private init() {
    let (rows, depth, columns) = (192, 768, 384)
    let sizes = [rows * depth, depth * columns, rows * columns]
    let memory = sizes.map { UnsafeMutablePointer<Float>.allocate(capacity: $0) }
    defer { for part in memory { part.deallocate() } }
    for (part, size) in zip(memory, sizes) { part.initialize(repeating: 1, count: size) }
    _ = Parallel.singleThreadedBLAS
    guard
      let a = MatrixView(memory[0], rows: rows, columns: depth, rowStride: depth, columnStride: 1),
      let b = MatrixView(
        memory[1], rows: depth, columns: columns, rowStride: columns, columnStride: 1),
      let c = MatrixView(
        memory[2], rows: rows, columns: columns, rowStride: columns, columnStride: 1),
      let packed = PackedProduct(a, b, into: c)
    else {
      self.init(own: 1, openBLAS: 0)
      return
    }
    var (ownTime, openBLASTime) = (Double.infinity, Double.infinity)
    var (runs, total) = (0, 0.0)
    while runs < 5 || runs < 10 && total < 8e-3 {
      let own = Self.seconds { packed.runOnThisThread() }
      let openBLAS = Self.seconds { MatrixProduct.product(1, a, b, 0, c) }
      (ownTime, openBLASTime) = (min(own, ownTime), min(openBLAS, openBLASTime))
      (runs, total) = (runs + 1, total + own + openBLAS)
    }
    let operations = 2e-9 * Double(rows * depth * columns)
    self.init(own: operations / ownTime, openBLAS: operations / openBLASTime)
  }

  /// Time that the calling thread computes: other programs of a busy machine do not count.
  private static func seconds(_ body: () -> Void) -> Double {
    func now() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }
    let start = now()
    body()
    return now() - start
  }
}
