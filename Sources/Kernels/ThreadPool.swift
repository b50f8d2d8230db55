import CVectorKernels
import Glibc
import Synchronization

/// Threads that wait for one piece of work after another.
///
/// The caller takes part in its own work, so `n` parts need `n - 1` threads. Threads are started
/// when first needed and live as long as the process. Whoever waits looks again and again for a while
/// before it sleeps: waking a thread takes longer than the pause between two kernels.
///
/// `@unchecked Sendable`: `mutex` guards all mutable members; atomic ones are written under it.
final class ThreadPool: @unchecked Sendable {
  static let shared = ThreadPool()

  /// True on a thread that is running a part of some work.
  static var isInsideSplit: Bool { pthread_getspecific(shared.insideKey) != nil }

  private typealias Work = @Sendable (Int) -> Void

  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let workArrived: UnsafeMutablePointer<pthread_cond_t>
  private let workDone: UnsafeMutablePointer<pthread_cond_t>
  private let insideKey: pthread_key_t
  private var threadCount = 0
  private var work: Work?
  private var nextPart = 0
  private var partCount = 0
  private let unfinishedParts = Atomic<Int>(0)
  /// How often work arrived.
  private let generation = Atomic<Int>(0)

  /// How long to look for what is waited for before sleeping; waking takes some 50 microseconds.
  private static let patience = Duration.microseconds(200)

  private init() {
    mutex = .allocate(capacity: 1)
    workArrived = .allocate(capacity: 1)
    workDone = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(workArrived, nil)
    pthread_cond_init(workDone, nil)
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    insideKey = key
  }

  /// Calls `body` with each of `0 ..< parts`, at the same time where threads are free, and returns
  /// when all calls have.
  ///
  /// While another thread's work is under way the calls happen one after another.
  func run(_ parts: Int, _ body: (Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      let shared = UncheckedWork(body: body)
      pthread_mutex_lock(mutex)
      guard work == nil else {
        pthread_mutex_unlock(mutex)
        for part in 0..<parts { body(part) }
        return
      }
      work = { shared.body($0) }
      nextPart = 0
      partCount = parts
      unfinishedParts.store(parts, ordering: .releasing)
      generation.wrappingAdd(1, ordering: .releasing)
      startThreads(parts - 1)
      pthread_cond_broadcast(workArrived)
      takeParts()
      if unfinishedParts.load(ordering: .acquiring) > 0 {
        lookWithoutLock { unfinishedParts.load(ordering: .acquiring) == 0 }
      }
      while unfinishedParts.load(ordering: .acquiring) > 0 { pthread_cond_wait(workDone, mutex) }
      work = nil
      pthread_mutex_unlock(mutex)
    }
  }

  /// Runs parts until none is left; called and left with the mutex held.
  private func takeParts() {
    guard let work else { return }
    while nextPart < partCount {
      let part = nextPart
      nextPart += 1
      pthread_mutex_unlock(mutex)
      pthread_setspecific(insideKey, UnsafeRawPointer(mutex))
      work(part)
      pthread_setspecific(insideKey, nil)
      pthread_mutex_lock(mutex)
      if unfinishedParts.wrappingSubtract(1, ordering: .releasing).newValue == 0 {
        pthread_cond_signal(workDone)
      }
    }
  }

  private func startThreads(_ wanted: Int) {
    while threadCount < wanted {
      var thread = pthread_t()
      let result = pthread_create(
        &thread, nil,
        { _ in
          ThreadPool.shared.serve()
          return nil
        }, nil)
      guard result == 0 else { return }
      pthread_detach(thread)
      threadCount += 1
    }
  }

  private func serve() {
    pthread_mutex_lock(mutex)
    while true {
      takeParts()
      let seen = generation.load(ordering: .acquiring)
      lookWithoutLock { generation.load(ordering: .acquiring) != seen }
      if generation.load(ordering: .acquiring) == seen { pthread_cond_wait(workArrived, mutex) }
    }
  }

  /// Looks whether something is so until it is or patience ends; called and left with the mutex held.
  private func lookWithoutLock(_ isSo: () -> Bool) {
    pthread_mutex_unlock(mutex)
    let end = ContinuousClock.now + Self.patience
    repeat {
      for _ in 0..<16 where !isSo() { ditc_pause() }
    } while !isSo() && ContinuousClock.now < end
    pthread_mutex_lock(mutex)
  }
}

/// Carries a body to the pool's threads; `run` does not return before they are done with it, and
/// the parts it is called with are disjoint.
private struct UncheckedWork: @unchecked Sendable {
  let body: (Int) -> Void
}
