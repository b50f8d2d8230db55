import GraphIR
import Operators
import Tensors
import TypeInference

/// Follows the memory of results through the steps of a plan before anything runs.
///
/// Results that operators return as views keep the memory of their operand alive. Temporary memory
/// of kernels, copies that a view turns out to need, feeds and constants are not counted.
struct PeakPrediction {
  private let facts: GraphFacts
  private var owner: [Int32: Int32] = [:]
  private var readers: [Int32: Int] = [:]
  private var used = 0
  /// The largest sum of live results so far; nil once a size depends on data.
  private(set) var peakByteCount: Int? = 0

  /// Operators whose result is their first operand seen another way.
  static let views: Set<OpKey> = [
    "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Slice", "Split", "Expand",
    "Identity",
  ]

  init(_ facts: GraphFacts) {
    self.facts = facts
  }

  /// Runs one node.
  ///
  /// - Parameters:
  ///   - node: The node.
  ///   - results: Its results that anybody reads.
  ///   - place: The value whose memory its result is a part of, or is; nil for memory of its own.
  ///   - operands: Those whose memory its result takes over if nobody else looks into it.
  ///   - releasing: What it reads last.
  ///   - branchPeak: What branches inside need at most; nil where that depends on data.
  mutating func run(
    _ node: Node, results: [ValueID], place: ValueID? = nil, overwriting operands: [ValueID] = [],
    releasing: [ValueID], branchPeak: Int?
  ) {
    let source = node.inputs.first.flatMap { $0 }.flatMap { owner[$0.index] }
    for value in results {
      if Self.views.contains(node.op) {
        if let source { keep(value, in: source) }
        continue
      }
      if let root = memory(for: value, among: operands) {
        keep(value, in: root)
        continue
      }
      let whole = place ?? value
      if readers[whole.index] == nil {
        guard let byteCount = byteCount(of: whole) else {
          peakByteCount = nil
          continue
        }
        used += byteCount
      }
      keep(value, in: whole.index)
    }
    if let branchPeak {
      peakByteCount = peakByteCount.map { max($0, used + branchPeak) }
    } else {
      peakByteCount = nil
    }
    for value in releasing {
      guard let root = owner.removeValue(forKey: value.index), let count = readers[root] else {
        continue
      }
      readers[root] = count - 1
      if count == 1 { used -= byteCount(of: ValueID(Int(root))) ?? 0 }
    }
  }

  /// The memory of the first of some operands that nothing else looks into and that has a result's
  /// size.
  private func memory(for value: ValueID, among operands: [ValueID]) -> Int32? {
    for root in operands.compactMap({ owner[$0.index] })
    where readers[root] == 1 && byteCount(of: ValueID(Int(root))) == byteCount(of: value) {
      return root
    }
    return nil
  }

  private mutating func keep(_ value: ValueID, in root: Int32) {
    owner[value.index] = root
    readers[root, default: 0] += 1
  }

  private func byteCount(of value: ValueID) -> Int? {
    guard let type = facts[value].type.tensor, let shape = type.concreteShape,
      let width = type.dataType?.byteCount,
      let count = try? Checked.product(shape.elementCount, width)
    else { return nil }
    return try? BufferPool.capacity(for: count)
  }
}
