import COpenBLAS
import Synchronization

/// How the work of one kernel is shared among threads.
///
/// How work is split depends on sizes and `threadCount` only, so results are the same for the same
/// thread count. A kernel called inside a split runs serially. OpenBLAS always runs on the calling
/// thread alone: matrix products are split here as well, so there is one pool, never two.
public enum Parallel {
  private static let requestedThreads = Atomic<Int>(1)

  /// The number of threads a kernel may use, at least 1; it is a setting of the whole process.
  ///
  /// It is not to be changed while a kernel runs.
  public static var threadCount: Int {
    get { requestedThreads.load(ordering: .relaxed) }
    set { requestedThreads.store(Swift.max(1, newValue), ordering: .relaxed) }
  }

  /// Operations of about one nanosecond below which a second thread costs more than it saves.
  static let worthwhileOperations = 1 << 13

  /// Calls `body` with the parts of `0 ..< count`, at the same time when the work is worth it.
  ///
  /// - Parameters:
  ///   - count: How many items there are.
  ///   - operationsPerItem: About how many nanoseconds one item takes.
  ///   - grain: Parts begin at multiples of this number of items.
  ///   - body: Handles one part; parts are disjoint and cover everything.
  static func forEachPart(
    of count: Int, operationsPerItem: Int, grain: Int = 1, _ body: (Range<Int>) -> Void
  ) {
    guard count > 0 else { return }
    let (operations, overflow) = count.multipliedReportingOverflow(by: operationsPerItem)
    let grains = (count + grain - 1) / grain
    let worthwhile = overflow ? Int.max : operations / worthwhileOperations + 1
    let parts = Swift.min(threadCount, grains, worthwhile)
    guard parts > 1, !ThreadPool.isInsideSplit else { return body(0..<count) }
    ThreadPool.shared.run(parts) { part in
      let lower = grains * part / parts * grain
      let upper = Swift.min(grains * (part + 1) / parts * grain, count)
      body(lower..<upper)
    }
  }

  /// Calls `body` for each of `0 ..< count`, items handed out as threads become free.
  ///
  /// Items must not depend on one another, so the order does not show in the results.
  static func forEachItem(
    of count: Int, operationsPerItem: Int, _ body: (Int) -> Void
  ) {
    guard count > 0 else { return }
    let (operations, overflow) = count.multipliedReportingOverflow(by: operationsPerItem)
    let worthwhile = overflow ? Int.max : operations / worthwhileOperations + 1
    let threads = Swift.min(threadCount, count, worthwhile)
    guard threads > 1, !ThreadPool.isInsideSplit else {
      for item in 0..<count { body(item) }
      return
    }
    let next = Atomic<Int>(0)
    ThreadPool.shared.run(threads) { _ in
      while true {
        let item = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard item < count else { return }
        body(item)
      }
    }
  }

  /// Makes OpenBLAS run on the calling thread alone; done once, before its first use.
  static let singleThreadedBLAS: Void = openblas_set_num_threads(1)
}
