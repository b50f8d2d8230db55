import GraphIR

/// Which nodes of a graph run, and who reads their results.
struct Liveness {
  /// The step that reads a value last.
  enum LastUse: Equatable {
    case unused
    case step(Int)
    case output
  }

  /// The nodes that run, in order; their numbers here are those of their steps.
  let order: [NodeID]
  private let lastUses: [LastUse]
  private let readers: [Int32]

  /// The nodes that outputs depend on, those left out whose results are known.
  init(_ graph: Graph, _ known: KnownValues) {
    var lastUses = [LastUse](repeating: .unused, count: graph.valueCount)
    var readers = [Int32](repeating: 0, count: graph.valueCount)
    var order: [NodeID] = []
    for value in graph.outputs {
      lastUses[Int(value.index)] = .output
      readers[Int(value.index)] &+= 1
    }
    for id in graph.order.reversed() {
      let node = graph[id]
      let isNeeded = node.outputs.contains { value in
        value.map { !known.contains($0) && lastUses[Int($0.index)] != .unused } ?? false
      }
      guard isNeeded else { continue }
      for value in node.uses {
        readers[Int(value.index)] &+= 1
        if lastUses[Int(value.index)] == .unused {
          lastUses[Int(value.index)] = .step(order.count)
        }
      }
      order.append(id)
    }
    let last = order.count - 1
    for index in lastUses.indices {
      if case .step(let position) = lastUses[index] { lastUses[index] = .step(last - position) }
    }
    self.order = order.reversed()
    self.lastUses = lastUses
    self.readers = readers
  }

  /// True for values that a node that runs or an output reads.
  func isUsed(_ value: ValueID) -> Bool { lastUses[Int(value.index)] != .unused }

  /// True when nobody reads a value after a step.
  func ends(_ value: ValueID, at step: Int) -> Bool { lastUses[Int(value.index)] == .step(step) }

  /// True when one operand of one node is all that reads a value.
  func hasOneReader(_ value: ValueID) -> Bool { readers[Int(value.index)] == 1 }
}
