import Glibc

/// How an engine runs.
public struct EngineOptions: Hashable, Sendable {
  /// Threads to compute with; results are the same for the same number.
  ///
  /// The number is a setting of the process: engines with different numbers must take turns.
  public var threads: Int

  /// Compares the type of every result with the one that was inferred, and fails where they
  /// differ.
  public var checksResultTypes: Bool

  /// Options; by default every processor of the machine computes.
  public init(threads: Int = availableThreads, checksResultTypes: Bool = false) {
    self.threads = threads
    self.checksResultTypes = checksResultTypes
  }

  /// The number of processors that are online, `sysconf(_SC_NPROCESSORS_ONLN)`.
  public static var availableThreads: Int {
    max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  }
}
