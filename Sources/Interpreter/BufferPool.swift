import Glibc
import Operators
import Synchronization
import Tensors

/// Memory for results, handed out in blocks that come back when the last view of them goes.
///
/// Blocks are kept in size classes, four to each doubling, so at most a quarter of a block is
/// unused. The pool lives as long as any block of it.
final class BufferPool: Sendable {
  /// A block; `BufferPool.state`'s lock guards the lists that hold it.
  private struct Block: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
  }

  private struct State: Sendable {
    var idle: [Int: [Block]] = [:]
    var statistics = MemoryStatistics()
  }

  private let state = Mutex(State())

  /// Bytes that may be in use at a time.
  let limit: Int

  /// A pool that hands out at most `limit` bytes at a time.
  init(limit: Int) {
    self.limit = limit
  }

  /// What the pool holds now and held at most.
  var statistics: MemoryStatistics { state.withLock { $0.statistics } }

  /// Storage of at least `byteCount` bytes, aligned to a cache line.
  func makeStorage(byteCount: Int) throws(OperatorError) -> TensorStorage {
    let capacity = try Self.capacity(for: byteCount)
    let used = state.withLock { $0.statistics.usedByteCount }
    guard capacity <= limit - used else {
      throw OperatorError(
        "memory-limit",
        "\(byteCount) bytes are needed besides the \(used) in use; the limit is \(limit)",
        hint: "allow more with --memory", category: .overLimit)
    }
    let idle = state.withLock { state -> Block? in
      state.statistics.take(capacity)
      return state.idle[capacity]?.popLast()
    }
    guard let block = idle ?? allocate(capacity) else {
      state.withLock { $0.statistics.giveBack(capacity) }
      throw OperatorError(
        "out-of-memory", "\(capacity) bytes could not be allocated", category: .overLimit)
    }
    return TensorStorage(base: block.base, byteCount: byteCount, mayBeOverwritten: true) { base in
      self.giveBack(Block(base: base), capacity)
    }
  }

  /// Frees the blocks that nobody uses.
  func trim() {
    let idle = state.withLock { state in
      let idle = state.idle
      for (capacity, blocks) in idle {
        state.statistics.reservedByteCount -= capacity * blocks.count
      }
      state.idle = [:]
      return idle
    }
    for block in idle.values.joined() { free(block.base) }
  }

  deinit { trim() }

  private func allocate(_ capacity: Int) -> Block? {
    var base: UnsafeMutableRawPointer?
    guard posix_memalign(&base, 64, capacity) == 0, let base else { return nil }
    state.withLock { $0.statistics.reservedByteCount += capacity }
    return Block(base: base)
  }

  private func giveBack(_ block: Block, _ capacity: Int) {
    state.withLock { state in
      state.idle[capacity, default: []].append(block)
      state.statistics.giveBack(capacity)
    }
  }

  /// The size of the block for a number of bytes.
  static func capacity(for byteCount: Int) throws(OperatorError) -> Int {
    let least = max(byteCount, 64)
    let step = max(64, 1 << (Int.bitWidth - 1 - least.leadingZeroBitCount - 2))
    let (rounded, overflow) = least.addingReportingOverflow(step - 1)
    if overflow {
      throw OperatorError(
        "out-of-memory", "\(byteCount) bytes cannot be allocated", category: .overLimit)
    }
    return rounded / step * step
  }
}

/// Memory of an engine's results and feeds; weights and folded constants are not counted.
public struct MemoryStatistics: Hashable, Sendable {
  /// Bytes of blocks that tensors look into now.
  public internal(set) var usedByteCount = 0
  /// The largest `usedByteCount` so far.
  public internal(set) var peakByteCount = 0
  /// Bytes taken from the system, idle blocks included.
  public internal(set) var reservedByteCount = 0
  /// How many blocks were ever asked for.
  public internal(set) var requestCount = 0

  mutating func take(_ capacity: Int) {
    requestCount += 1
    usedByteCount += capacity
    peakByteCount = max(peakByteCount, usedByteCount)
  }

  mutating func giveBack(_ capacity: Int) {
    usedByteCount -= capacity
  }
}

extension OperatorError {
  /// A result that is larger than all memory a run may use.
  static func tooLarge(_ byteCount: Int, limit: Int) -> OperatorError {
    OperatorError(
      "memory-limit", "the result would have \(byteCount) bytes; the limit is \(limit)",
      hint: "allow more with --memory", category: .overLimit)
  }
}
