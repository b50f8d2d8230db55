import Glibc

/// A block of memory that tensors look into.
///
/// Freed when the last tensor goes. Whoever creates a tensor may write to it until it hands the
/// tensor on; after that all holders only read, but for the last one of memory that
/// `mayBeOverwritten`. This discipline, not a lock, makes it `Sendable`.
public final class TensorStorage: @unchecked Sendable {
  /// The first byte, aligned to 64 bytes for storage made by `init(byteCount:)`.
  public let base: UnsafeMutableRawPointer

  /// The size of the block.
  public let byteCount: Int

  /// True for memory that its last holder may write to again.
  public let mayBeOverwritten: Bool

  private let release: (@Sendable (UnsafeMutableRawPointer) -> Void)?

  /// Uninitialised memory, aligned to a cache line.
  public init(byteCount: Int) {
    self.byteCount = byteCount
    base = UnsafeMutableRawPointer.allocate(byteCount: Swift.max(byteCount, 1), alignment: 64)
    release = nil
    mayBeOverwritten = false
  }

  /// Uninitialised memory of a size that came from outside; nil when the system has not that much.
  public init?(ifAvailable byteCount: Int) {
    var memory: UnsafeMutableRawPointer?
    guard byteCount >= 0, posix_memalign(&memory, 64, Swift.max(byteCount, 1)) == 0, let memory
    else { return nil }
    self.byteCount = byteCount
    base = memory
    release = { free($0) }
    mayBeOverwritten = false
  }

  /// Memory that somebody else allocated (a file mapping, a pool); `release` gives it back.
  public init(
    base: UnsafeMutableRawPointer, byteCount: Int, mayBeOverwritten: Bool = false,
    release: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
  ) {
    self.base = base
    self.byteCount = byteCount
    self.mayBeOverwritten = mayBeOverwritten
    self.release = release
  }

  deinit {
    if let release {
      release(base)
    } else {
      base.deallocate()
    }
  }
}
