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

  /// Runs one node: its results that anybody reads, what it reads last, and what branches inside
  /// need at most; nil where that depends on data.
  mutating func run(
    _ node: Node, results: [ValueID], releasing: [ValueID], branchPeak: Int?
  ) {
    let source = node.inputs.first.flatMap { $0 }.flatMap { owner[$0.index] }
    for value in results {
      if Self.views.contains(node.op) {
        if let source { keep(value, in: source) }
        continue
      }
      guard let byteCount = byteCount(of: value) else {
        peakByteCount = nil
        continue
      }
      used += byteCount
      keep(value, in: value.index)
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
